/**
 * TCP without a network, for tests and for programs that embed the server.
 *
 * @module
 */
import { TcpBindError } from "../../base/errors.ts";
import { AcceptQueue } from "./_accept_queue.ts";
import { PullQueue, readableOf } from "./_pull_queue.ts";
import { formatAddr, type NetAddr } from "../../base/net_addr.ts";
import type { TcpAdapter, TcpListener } from "./types.ts";

/** The client's end of a connection in memory. */
export interface MemoryClient {
  /** What the server sees as the remote address. */
  readonly localAddr: NetAddr;
  /**
   * What the client sends. A write resolves once no more than its last 256 KiB wait to be read;
   * closing is TCP's FIN.
   */
  readonly writable: WritableStream<Uint8Array>;
  /**
   * What the server writes; a write of the server waits until the 256 KiB before it are read.
   * Cancelling resets the connection.
   */
  readonly readable: ReadableStream<Uint8Array>;
  /** Resolves once the server has closed its end. */
  readonly closed: Promise<void>;
  /** Breaks the connection; the server gets this error after the bytes that came before. */
  reset(error: Error): void;
}

/** A network in memory. */
export interface MemoryNet extends TcpAdapter {
  /**
   * Connects to a listener.
   *
   * @param port the listener's; without it the only one's
   * @throws {Error} if nothing listens there
   */
  connect(port?: number): MemoryClient;
}

/** Bytes of a chunk at most; longer writes are cut. */
const MAX_CHUNK = 256 * 1024;

// ------------------------------------------------------------------------------------ listener

/**
 * A TCP adapter whose connections are made by {@linkcode MemoryNet.connect}.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { memoryTcp } from "@rerelay/server";
 *
 * const net = memoryTcp();
 * const listener = await net.listen({ hostname: "127.0.0.1", port: 9876 });
 * const writer = net.connect(9876).writable.getWriter();
 * writer.write(Uint8Array.of(1, 2, 3));
 * const connection = await listener.accept();
 * const { value } = await connection!.readable.getReader().read();
 * assertEquals(value, Uint8Array.of(1, 2, 3));
 * ```
 */
export function memoryTcp(): MemoryNet {
  const listeners = new Map<number, AcceptQueue>();
  let lastPort = 49151; // the ephemeral ports of RFC 6335 begin after it
  return {
    listen({ hostname, port }): Promise<TcpListener> {
      const addr = { hostname, port: port || ++lastPort };
      if (listeners.has(addr.port)) {
        return Promise.reject(new TcpBindError(formatAddr(addr), "Address already in use"));
      }
      const queue = new AcceptQueue();
      listeners.set(addr.port, queue);
      return Promise.resolve({
        addr,
        accept: () => queue.accept(),
        close() {
          queue.close();
          if (listeners.get(addr.port) === queue) listeners.delete(addr.port);
        },
      });
    },
    connect(port) {
      const queue = port === undefined ? [...listeners.values()][0] : listeners.get(port);
      if (!queue) throw new Error(`Connection refused: nothing listens on port ${port ?? "any"}`);
      return openConnection(queue, { hostname: "127.0.0.1", port: ++lastPort });
    },
  };
}

// ---------------------------------------------------------------------------------- connection

/** One direction of a connection. */
class Pipe {
  readonly queue: PullQueue;
  #space = Promise.withResolvers<void>();
  #broken: Error | undefined;

  constructor() {
    this.queue = new PullQueue({ emptied: () => this.#space.resolve() });
    this.#space.resolve();
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += MAX_CHUNK) {
      await this.#space.promise;
      if (this.#broken) throw this.#broken;
      this.#space = Promise.withResolvers();
      this.queue.push(new Uint8Array(bytes.subarray(at, at + MAX_CHUNK)));
    }
  }

  /** Makes all later writes fail. */
  break(error: Error): void {
    this.#broken ??= error;
    this.#space.resolve();
  }
}

function openConnection(accepted: AcceptQueue, localAddr: NetAddr): MemoryClient {
  const closed = Promise.withResolvers<void>();
  const up = new Pipe();
  const down = new Pipe();
  const close = () => {
    up.queue.discard();
    up.break(new Error("Broken pipe: the server has closed the connection"));
    down.queue.end();
    down.break(new Error("Broken pipe: the connection is closed"));
    closed.resolve();
  };
  const reset = (error: Error) => {
    up.queue.end(error);
    up.break(error);
    down.queue.discard();
    down.break(error);
  };
  const writable = new WritableStream<Uint8Array>({
    write: (bytes) => up.write(bytes),
    close: () => up.queue.end(),
    abort: (cause) => reset(new Error("Connection reset by peer", { cause })),
  });
  const read = () => up.queue.read();
  accepted.offer({
    remoteAddr: localAddr,
    readable: readableOf(read, close),
    read,
    write: (bytes) => down.write(bytes),
    setNoDelay() {},
    close,
  });
  const left = () => reset(new Error("Connection reset by peer"));
  const readable = readableOf(() => down.queue.read(), left);
  return { localAddr, writable, readable, closed: closed.promise, reset };
}
