/**
 * HTTP and WebSockets, as a runtime must offer them.
 *
 * @module
 */
import type { NetAddr } from "../../base/net_addr.ts";
import type { TcpConnection } from "../tcp/types.ts";

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
   * @param done called once, when the pieces may be written to again: they were handed to the
   * system, or the socket closed
   */
  sendFrames(pieces: readonly Uint8Array[], done: () => void): void;
  /** Bytes that were sent and are not yet handed to the operating system. */
  readonly bufferedBytes: number;
  /** Bytes that were handed to the operating system so far. */
  readonly sentBytes: number;
  /**
   * Resolves when some of the buffered bytes have been handed to the system; at once if there are
   * none, and when the socket closes.
   */
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
  /** The client's address; absent where the transport has none. */
  readonly remoteAddr?: NetAddr;
  /**
   * The URL as it was asked for: an app that is mounted in another one sees only a part of it in
   * its request.
   */
  readonly url?: string;
  /**
   * Makes a WebSocket of the request's connection; `undefined` if the client did not ask for one.
   *
   * @returns what the request must be answered with, and the socket
   */
  upgrade(): { readonly response: Response; readonly socket: Promise<ViewerSocket> } | undefined;
}

/** What the body of a request may take. */
export interface BodyLimits {
  /** Bytes at most; default 64 MiB. */
  readonly maxBytes?: number;
  /** Seconds for all of it; default 60. */
  readonly timeoutSec?: number;
}

/** How HTTP is served, whoever accepts the connections. */
export interface HttpServing {
  /**
   * Answers a request. A body is read as the client takes it, and cancelled when the client leaves;
   * if it errors, the connection is cut.
   *
   * @param request whose body, if it is of gRPC-web, must come within the handshake's seconds; requests
   * with other bodies are refused
   * @param info what is known of its connection
   */
  fetch(request: Request, info: HttpRequestInfo): Response | Promise<Response>;
  /** Takes requests with bodies, for apps that want them; by default they are refused with status 413. */
  readonly bodies?: BodyLimits;
  /** Seconds for all of a request's headers, counted from the connection. */
  readonly handshakeTimeoutSec: number;
  /** Connections at most; beyond it the oldest that has not asked for anything is closed, or the new one. */
  readonly maxConnections: number;
  /** Told what `fetch` throws, for which the client gets status 500, and what `isAllowed` throws. */
  onError(error: unknown): void;
}

/** How HTTP is served where it listens itself. */
export interface HttpOptions extends NetAddr, HttpServing {
  /**
   * Tells whether an address may connect; asked before a byte is read. A connection is closed unless
   * the answer is `true`; if it throws, `onError` is told besides. Default all.
   */
  readonly isAllowed?: (hostname: string | undefined) => boolean;
}

/** Serves connections that somebody else accepted. */
export interface HttpDoor {
  /**
   * Takes a connection over: nobody else reads from it, writes to it or closes it.
   *
   * @param connection that speaks HTTP/1.1
   * @param first what was read of it already
   * @returns resolves when it is closed; never rejects
   */
  take(connection: TcpConnection, first: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Takes no more connections; those that are slow to end are cut after a second. */
  close(): Promise<void>;
}

/** A listening HTTP server. */
export interface HttpListener {
  /** The address that it is really bound to. */
  readonly addr: NetAddr;
  /** Stops listening; connections stay open. */
  leave(): void;
  /** Stops listening, closes WebSockets (1001) and connections; those that are slow are cut after a second. */
  close(): Promise<void>;
}

/** Serves HTTP/1.1 and WebSockets. */
export interface HttpAdapter {
  /**
   * Binds to an address and serves there.
   *
   * @param options the address, and what answers
   * @throws {TcpBindError} if the address can't be bound.
   */
  serve(options: HttpOptions): Promise<HttpListener>;
  /**
   * Serves connections that are handed over, beside another protocol on one port.
   *
   * @param serving what answers
   */
  door(serving: HttpServing): HttpDoor;
}

/** A package whose files are served, by the name that it is installed under. */
export type ServedPackage = "@rerun-io/web-viewer" | "rerun-web-viewer-0-33" | "uplot";

/** Where files of packages are: installed beside this one, or inside an executable. */
export interface PackageFiles {
  /**
   * Reads a file.
   *
   * @param name of the package
   * @param path in its folder
   * @throws {Error} if the package can't be found, or only another version of it
   */
  read(name: ServedPackage, path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Reads a file compressed by gzip, with its uncompressed length in bytes. */
  compressed(
    name: ServedPackage,
    path: string,
  ): Promise<{ body: Uint8Array<ArrayBuffer>; size: number }>;
}
