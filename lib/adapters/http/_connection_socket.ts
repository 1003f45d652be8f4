/**
 * A connection as a socket for `node:http`.
 *
 * @module
 */
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { TcpConnection } from "../tcp/types.ts";

/**
 * What a connection must offer to become a socket; the members that may be missing are missing in
 * connections that the SDKs' port hands over.
 */
export interface SocketSource
  extends Pick<TcpConnection, "remoteAddr" | "write" | "setNoDelay" | "close"> {
  /** The next bytes, in memory that nobody writes to again; `undefined` at the end. */
  read(): Promise<Uint8Array | undefined>;
  /** Writes some of the bytes, at least one. */
  writeSome?(bytes: Uint8Array): Promise<number>;
  /** Tells the peer that nothing more is written (a half-close). */
  closeWrite?(): Promise<void>;
}

/**
 * Makes such a source of a connection that the server accepted.
 *
 * @param connection that nobody else reads from or writes to
 * @param first what was read of it already
 */
export function sourceOf(connection: TcpConnection, first: Uint8Array): SocketSource {
  const reader = connection.read === undefined ? connection.readable.getReader() : undefined;
  let rest: Uint8Array | undefined = first.slice();
  return {
    ...(connection.remoteAddr && { remoteAddr: connection.remoteAddr }),
    async read() {
      if (rest !== undefined && rest.length > 0) {
        const bytes = rest;
        rest = undefined;
        return bytes;
      }
      if (reader !== undefined) return (await reader.read()).value;
      // Copied, for the memory of a pool is written to again.
      return (await connection.read!())?.slice();
    },
    write: (bytes) => connection.write(bytes),
    setNoDelay: (noDelay) => connection.setNoDelay(noDelay),
    close: () => connection.close(),
  };
}

/**
 * The socket under the type that `node:http` asks for; it uses no more of a socket than there is
 * here.
 */
export function asSocket(socket: ConnectionSocket): Socket {
  return socket as unknown as Socket;
}

/** A connection with all that `node:http` uses of a socket. */
export class ConnectionSocket extends Duplex {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly #source: SocketSource;

  /** @param source of a connection */
  constructor(source: SocketSource) {
    super({ allowHalfOpen: true });
    this.#source = source;
    this.remoteAddress = source.remoteAddr?.hostname;
    this.remotePort = source.remoteAddr?.port;
    source.setNoDelay(true);
  }

  override async _read(): Promise<void> {
    try {
      this.push(await this.#source.read() ?? null);
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  override _write(
    bytes: Uint8Array,
    _encoding: string,
    done: (error?: Error | null) => void,
  ): void {
    this.#source.write(bytes).then(() => done(), done);
  }

  /** Writes past the stream's own buffer, see `_hand_over.ts`. */
  async handOver(bytes: Uint8Array, took: (count: number) => void): Promise<void> {
    const { writeSome } = this.#source;
    if (writeSome !== undefined) return took(await writeSome(bytes));
    await this.#source.write(bytes);
    took(bytes.length);
  }

  override _final(done: (error?: Error | null) => void): void {
    const closed = this.#source.closeWrite?.();
    if (closed !== undefined) return void closed.then(() => done(), () => done());
    done();
    // Such a connection has no half-close, so only closing it tells the peer that this was all. Its
    // request is answered by now.
    this.destroy();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#source.close();
    done(error);
  }

  /** Does nothing: the server keeps the deadlines of its connections itself. */
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
