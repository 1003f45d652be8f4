/**
 * TCP, as a runtime must offer it.
 *
 * @module
 */
import type { NetAddr } from "../../base/net_addr.ts";
import type { BufferPool } from "../../memory/buffer_pool.ts";

/** One accepted connection. */
export interface TcpConnection {
  /** The peer's address; absent where the transport has none. */
  readonly remoteAddr?: NetAddr;
  /**
   * The peer's bytes in chunks of at most 512 KiB; the chunks are never written to again.
   * Reads from the socket only while somebody reads it. Errors (with what the runtime threw)
   * only after all bytes that came before the error were read.
   */
  readonly readable: ReadableStream<Uint8Array>;
  /**
   * Gives the same chunks without a stream around them; `undefined` at the end. One call at a time,
   * and not beside a reader of `readable`. The server reads by it where there is one.
   *
   * @param into where the bytes may be put, so that they need not be copied there; the chunk is a view
   * on its beginning then. An adapter whose chunks lie elsewhere takes no notice of it.
   * @throws what the runtime threw, once all bytes that came before were read
   */
  read?(into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array | undefined>;
  /**
   * Reads into memory of a pool from now on, where it reads into memory of its own: a chunk's buffer is
   * used by the connection until a later `read` takes another.
   *
   * @param pool of the server, which has the chunk's bytes used again when nobody needs them
   */
  usePool?(pool: BufferPool): void;
  /**
   * Takes back a chunk whose memory nobody needs any more; the connection decides whether to free
   * or use it again.
   *
   * @param chunk a chunk that was read, and whose whole buffer is not needed any more
   */
  giveBack?(chunk: Uint8Array): void;
  /** Whether the last read took all that it had memory for, so that more is there already. */
  readonly hasMore?: boolean;
  /** Bytes of memory that are held for the next read; 0 or absent where they are few. */
  readonly spaceBytes?: number;
  /**
   * Stops a read that is under way from getting bytes, or lets it go on; absent where a read that waits
   * takes a few KiB.
   *
   * @param isHeld whether to stop
   */
  holdReading?(isHeld: boolean): void;
  /**
   * Writes all of the bytes; they may change once it resolves, which it does when the system has taken
   * them: a peer that does not read makes it wait. One call at a time.
   *
   * @throws what the runtime threw if the peer has left, or an `Error` if this side has closed it
   */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * How many written bytes the system still holds, because the peer has not acknowledged them; `undefined`
   * or absent where the system does not tell. Never rejects.
   */
  unsentBytes?(): Promise<number | undefined>;
  /** Whether small writes go out at once, and do not wait for the peer's answers to earlier ones; never throws. */
  setNoDelay(noDelay: boolean): void;
  /**
   * Closes the socket; safe to call twice, never throws. The readable then ends, and a write that waits
   * fails.
   */
  close(): void;
}

/** A listening socket. */
export interface TcpListener {
  /** The address that it is really bound to. */
  readonly addr: NetAddr;
  /**
   * The next connection; `undefined` once the listener is closed. One call at a time.
   *
   * @throws whatever the runtime says of a connection that could not be accepted; more may follow.
   */
  accept(): Promise<TcpConnection | undefined>;
  /** Stops listening; connections stay open. Safe to call twice. */
  close(): void;
}

/** Listens on TCP. */
export interface TcpAdapter {
  /**
   * Binds to an address and listens there.
   *
   * @param options the address
   * @throws {TcpBindError} if the address can't be bound.
   */
  listen(options: NetAddr): Promise<TcpListener>;
}
