/**
 * Deno's TCP as sockets for `node:http`: Deno's own `node:net` accepts nobody any more once the
 * process has been out of file descriptors.
 *
 * @module
 */
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { TcpBindError } from "../../base/errors.ts";
import { openSignalPipe } from "../tcp/deno_tcp.ts";
import { formatAddr, type NetAddr } from "../../base/net_addr.ts";

/** Clients send one request; a buffer for each of thousands of idle ones. */
const READ_BYTES = 4096;

/** How long accepting rests after an error, in milliseconds. */
const REST_MS = 100;

/** A listening socket. */
export interface SocketListener {
  readonly addr: NetAddr;
  /** Stops listening; connections stay open. */
  close(): void;
}

/**
 * Listens by `Deno.listen`.
 *
 * @param addr where
 * @param backlog connections that may wait to be accepted
 * @param onSocket takes each connection
 * @throws {TcpBindError} if the address can't be bound
 */
export function listenDeno(
  addr: NetAddr,
  backlog: number,
  onSocket: (socket: Socket) => void,
): SocketListener {
  openSignalPipe();
  const listener = bind(addr, backlog);
  let closed = false;
  const accept = async () => {
    while (!closed) {
      try {
        onSocket(new ConnSocket(await listener.accept()) as unknown as Socket);
      } catch {
        // Out of descriptors, or a client that left before its turn: others may come.
        if (!closed) await new Promise((resolve) => setTimeout(resolve, REST_MS));
      }
    }
  };
  accept();
  const { hostname, port } = listener.addr;
  return {
    addr: { hostname, port },
    close() {
      closed = true;
      listener.close();
    },
  };
}

function bind(addr: NetAddr, tcpBacklog: number): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: addr.hostname, port: addr.port, tcpBacklog });
  } catch (cause) {
    throw new TcpBindError(formatAddr(addr), cause);
  }
}

/** What `node:http` needs of a socket. */
class ConnSocket extends Duplex {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #conn: Deno.TcpConn;

  constructor(conn: Deno.TcpConn) {
    super({ allowHalfOpen: true });
    this.#conn = conn;
    this.remoteAddress = conn.remoteAddr.hostname;
    this.remotePort = conn.remoteAddr.port;
    try {
      conn.setNoDelay(true);
      conn.setKeepAlive(true);
    } catch {
      // The peer has left already: reading tells.
    }
  }

  override async _read(): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    try {
      const length = await this.#conn.read(buffer);
      this.push(length === null ? null : buffer.subarray(0, length));
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  override async _write(
    bytes: Uint8Array,
    _encoding: string,
    done: (error?: Error | null) => void,
  ): Promise<void> {
    let failed: Error | undefined;
    try {
      for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
    } catch (error) {
      failed = error as Error;
    }
    done(failed);
  }

  /** Past the stream: see `_hand_over.ts`. */
  handOver(bytes: Uint8Array, took: (count: number) => void): Promise<void> {
    return this.#conn.write(bytes).then(took);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#conn.closeWrite().then(() => done(), () => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    try {
      this.#conn.close();
    } catch {
      // It is closed.
    }
    done(error);
  }

  /** Deadlines are the server's own. */
  setTimeout(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}
