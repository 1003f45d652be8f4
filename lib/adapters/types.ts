/**
 * What a runtime must offer, one small interface a concern.
 *
 * @module
 */
import type { BufferPool } from "../memory/buffer_pool.ts";

/** An address of a socket's end, as `hostname` and `port`. */
export interface NetAddr {
  /** An IP address, or a name to bind to. */
  readonly hostname: string;
  /** 0 to 65,535; to bind to 0 is to get any free port. */
  readonly port: number;
}

/** One accepted connection; the server only reads from it. */
export interface TcpConnection {
  /** Absent where the transport has none. */
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
   * Takes back memory that nobody needs any more, where it finds that worth while.
   *
   * @param chunk that was read, and nothing else lies in its buffer that is needed
   */
  giveBack?(chunk: Uint8Array): void;
  /** Closes the socket; safe to call twice, never throws. The readable then ends. */
  close(): void;
}

/** A listening socket. */
export interface TcpListener {
  /** What it is really bound to. */
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
   * @throws TcpBindError if the address can't be bound.
   */
  listen(options: NetAddr): Promise<TcpListener>;
}

/** A file being written. */
export interface WritableFile {
  /** Writes all of the bytes, handed to the operating system when it resolves. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes sure that what was written is on the disk (`fdatasync`). */
  sync(): Promise<void>;
  /** Cuts the file to this many bytes; the next write goes behind them. */
  truncate(size: number): Promise<void>;
  /** Closes the file; safe to call twice. */
  close(): Promise<void>;
}

/** Which programs run on this machine. */
export interface ProcessAdapter {
  /** Of this program. */
  readonly pid: number;
  /** A name that no later process gets, with that of its container; `undefined`: it does not run. */
  identity(pid: number): Promise<string | undefined>;
  /** Files that this program may save into at once; absent where nobody knows. */
  readonly maxOpenFiles?: number;
}

/** How a file is opened for writing. */
export type FileMode = "new" | "replace" | "append";

/** A file that can be renamed and cut, or something else: a device, pipe, link or folder. */
export type FileKind = "file" | "other";

/** Files, as far as sinks need them. */
export interface FileAdapter {
  /**
   * Opens a file for writing.
   *
   * @param path where
   * @param mode `"new"`: fails with {@linkcode FileExists} if it exists; `"replace"`: cuts it to nothing;
   * `"append"`: writes behind what it holds, or makes it
   */
  create(path: string, mode: FileMode): Promise<WritableFile>;
  /** What stands at this path, a link itself and not its target; `undefined`: nothing. */
  kind(path: string): Promise<FileKind | undefined>;
  /** Gives a file another name in the same file system; what had that name is replaced. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file. */
  remove(path: string): Promise<void>;
  /** Names of what is in a folder, without its path; `""` is the current folder. */
  list(folder: string): Promise<string[]>;
  /** What a file holds, from its beginning, in chunks that are the reader's own. */
  open(path: string): Promise<ReadableStream<Uint8Array>>;
}

/** One WebSocket, seen from the server: it only sends. */
export interface ViewerSocket {
  /**
   * Sends one binary message; the bytes must not change afterwards. Does nothing once it is closed.
   *
   * @param bytes of any length
   */
  send(bytes: Uint8Array): void;
  /**
   * Sends whole frames that were made before, the same for many sockets.
   *
   * @param pieces one behind the other; at least one, and none empty
   * @param done called once, when the bytes may change: they were handed over, or the socket closed
   */
  sendFrames(pieces: readonly Uint8Array[], done: () => void): void;
  /** Bytes that were sent and are not yet handed to the operating system. */
  readonly bufferedBytes: number;
  /** Bytes that were handed to the operating system so far. */
  readonly sentBytes: number;
  /** Resolves when some of them have been handed over, at once if there are none, and when it closes. */
  progress(): Promise<void>;
  /**
   * Closes it behind what was sent, but in a second at most; safe to call twice, never throws.
   *
   * @param code of RFC 6455, section 7.4
   * @param reason up to 123 bytes of UTF-8; the rest is cut
   */
  close(code: number, reason: string): void;
  /** Resolves when it is closed, whoever closed it. */
  readonly closed: Promise<void>;
}

/** What is known of a request besides what it says. */
export interface HttpRequestInfo {
  /** Absent where the transport has none. */
  readonly remoteAddr?: NetAddr;
  /**
   * Makes a WebSocket of the request's connection; `undefined` if the client did not ask for one.
   *
   * @returns what the request must be answered with, and the socket
   */
  upgrade(): { readonly response: Response; readonly socket: Promise<ViewerSocket> } | undefined;
}

/** How HTTP is served. */
export interface HttpOptions extends NetAddr {
  /**
   * Answers a request. A body is read as the client takes it, and cancelled when the client leaves;
   * if it errors, the connection is cut.
   *
   * @param request without a body: those that bring one are refused
   * @param info of its connection
   */
  fetch(request: Request, info: HttpRequestInfo): Response | Promise<Response>;
  /** Seconds for all of a request's headers, counted from the connection. */
  readonly handshakeTimeoutSec: number;
  /** Connections at most; beyond it the oldest that has not asked for anything is closed, or the new one. */
  readonly maxConnections: number;
  /** Told what `fetch` throws; the client gets status 500. */
  onError(error: unknown): void;
}

/** A listening HTTP server. */
export interface HttpListener {
  /** What it is really bound to. */
  readonly addr: NetAddr;
  /** Stops listening, closes WebSockets (1001) and connections; those that are slow are cut after a second. */
  close(): Promise<void>;
}

/** Serves HTTP/1.1 and WebSockets. */
export interface HttpAdapter {
  /**
   * Binds to an address and serves there.
   *
   * @param options the address, and what answers
   * @throws TcpBindError if the address can't be bound.
   */
  serve(options: HttpOptions): Promise<HttpListener>;
}
