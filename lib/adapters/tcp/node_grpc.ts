/**
 * A connection to a server as an SDK makes it that logs by gRPC: one call on one connection.
 *
 * @module
 */
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { formatAddr } from "../../base/net_addr.ts";
import { reason, RerelayError } from "../../base/errors.ts";
import { GrpcError, STATUS } from "../../comms/grpc/status.ts";
import { WriteClient } from "../../comms/grpc/write_client.ts";
import { H2Connection } from "../../comms/h2/connection.ts";
import { H2Driver, type H2Socket } from "../../comms/h2/drive.ts";
import { BufferPool } from "../../memory/buffer_pool.ts";
import type { GrpcLink } from "./grpc_link.ts";
import { dial, dialRetrying, whileTaken } from "./node_dial.ts";
import { unreadBytes } from "./unread_bytes.ts";

/** How often deadlines are looked at, in milliseconds. */
const TICK_MS = 1000;

/** A connection to a server of Rerun 0.23 and later, or to Rerelay. */
export interface GrpcSocket {
  /**
   * Sends a frame; resolves when there is room for more.
   *
   * @throws {RerelayError} if the server has ended the call, or speaks no gRPC
   */
  send(frame: readonly Uint8Array[]): Promise<void>;
  /** Ends the call, and waits for the server's answer as long as bytes flow, and a while without any. */
  finish(): Promise<void>;
  destroy(): void;
}

/**
 * Connects, and begins a call; tries again until the time is up.
 *
 * @throws {RerelayError} if there is no server within that time
 */
export function connectGrpc(
  hostname: string,
  port: number,
  timeoutMs: number,
): Promise<GrpcSocket> {
  return dialRetrying(hostname, port, timeoutMs, (socket) => {
    const began = performance.now();
    const h2 = new H2Connection("client");
    const to = new ServerSocket(socket);
    const driver = new H2Driver(to, h2, { pool: new BufferPool() });
    const call = new WriteClient(h2, formatAddr({ hostname, port }));
    const ticking = setInterval(() => driver.tick(), TICK_MS);
    // The call tells how it ended.
    void driver.run().then(() => clearInterval(ticking));
    const told = (error: unknown) => explained(error, h2.error, to.speaksHttp2);
    const waitFor = async (taken: Promise<void>) => {
      try {
        await whileTaken(socket, taken, { timeoutMs, began, queued: () => call.queuedBytes });
      } catch (error) {
        throw told(error);
      }
    };
    return {
      send: (frame) => waitFor(call.send(frame)),
      async finish() {
        await waitFor(call.finish());
        h2.leave();
      },
      destroy() {
        clearInterval(ticking);
        socket.destroy();
      },
    };
  });
}

/**
 * Connects, once.
 *
 * @param timeoutMs how long a server may take to answer
 * @throws whatever the system says
 */
export async function openGrpcLink(
  hostname: string,
  port: number,
  timeoutMs: number,
): Promise<GrpcLink> {
  const socket = await dial(hostname, port, timeoutMs);
  const h2 = new H2Connection("client");
  const to = new ServerSocket(socket);
  const driver = new H2Driver(to, h2, { pool: new BufferPool() });
  const ticking = setInterval(() => driver.tick(), TICK_MS);
  let isOver = false;
  void driver.run().then(() => {
    isOver = true;
    clearInterval(ticking);
  });
  return {
    get isOpen() {
      return !isOver && !h2.isClosed;
    },
    begin: (metadata) => new WriteClient(h2, formatAddr({ hostname, port }), metadata),
    explain: (error) => explained(error, h2.error, to.speaksHttp2),
    destroy() {
      clearInterval(ticking);
      socket.destroy();
    },
  };
}

/** An error that says what a user can do about another one. */
function explained(error: unknown, broken: Error | undefined, speaksHttp2: boolean): unknown {
  if (!(error instanceof GrpcError)) return error;
  if (!speaksHttp2 || error.status === STATUS.UNIMPLEMENTED) {
    const why = broken === undefined ? error.message : reason(broken);
    return new RerelayError(
      `it takes nothing by gRPC, as Rerun 0.23 and later do (${why}); servers before that are ` +
        "reached by rerelay rrd replay --to HOST:PORT",
      { cause: error },
    );
  }
  return new RerelayError(`${error.message} (gRPC status ${error.status})`, { cause: error });
}

/** A connection to the server, which remembers whether the server's first bytes were HTTP/2. */
class ServerSocket implements H2Socket {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #socket: Socket;
  readonly #reader: { read(): Promise<{ readonly value?: Uint8Array | undefined }> };
  #isFirst = true;
  /** Whether the server's first bytes were a SETTINGS frame, as HTTP/2 demands. */
  speaksHttp2 = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => {}); // the read tells of it
    this.readable = Readable.toWeb(socket) as unknown as ReadableStream<Uint8Array>;
    this.#reader = this.readable.getReader();
  }

  async read(): Promise<Uint8Array | undefined> {
    const { value } = await this.#reader.read();
    if (value !== undefined && this.#isFirst) {
      this.#isFirst = false;
      this.speaksHttp2 = value[0] === 0 && (value[3] ?? SETTINGS) === SETTINGS;
    }
    return value;
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => error ? reject(error) : resolve());
    });
  }

  unsentBytes(): Promise<number | undefined> {
    const { localPort: local = 0, remotePort: remote = 0 } = this.#socket;
    return unreadBytes({ local, remote });
  }

  setNoDelay(noDelay: boolean): void {
    this.#socket.setNoDelay(noDelay);
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Type of the HTTP/2 frame that each side sends first. */
const SETTINGS = 4;
