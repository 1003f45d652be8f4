/**
 * What users of an HTTP/2 connection see of it, on the side of the server and of the client.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";

/** Which side of a connection we are. */
export type H2Role = "server" | "client";

/** One header field; names are in lower case, those of pseudo-header fields begin with `:`. */
export type Field = readonly [name: string, value: string];

/** Header fields by name; values of fields that came several times are joined by `, `. */
export type FieldMap = ReadonlyMap<string, string>;

/**
 * Takes what a peer sends in one stream. It is told in this order: `headers` (a client's only), `data`,
 * `end`; `gone` may come at any time, once, and then nothing follows.
 *
 * What it throws ends the connection with INTERNAL_ERROR.
 */
export interface StreamSink {
  /** A client's: the answer's header fields, which carry `:status`. Answers of 1xx are left out. */
  headers?(headers: FieldMap): void;
  /**
   * Where the next bytes of the body may be read into, so that they need no copy. They are given to
   * `data` as a view on its beginning, most often; if the stream is gone meanwhile, it is still written to.
   *
   * @param most how many of the next bytes are sure to be the body's; the room may be smaller
   */
  readInto?(most: number): Uint8Array<ArrayBuffer> | undefined;
  /**
   * The next bytes of the body. The peer may send as many more once `H2Stream.consume` was called
   * for them; without that it stops after one window.
   *
   * @param bytes a view on what was read from the socket
   * @returns `false` if nobody needs the bytes after this call, so that their memory may be used again
   */
  data(bytes: Uint8Array): boolean | void;
  /** The peer has sent all; trailers are empty where there were none. We may go on sending. */
  end(trailers: FieldMap): void;
  /**
   * The stream was broken off before both sides ended it, possibly after `end`: nothing that is
   * written is sent any more, and nothing needs to be consumed. Not called if we answer before the
   * request has ended.
   *
   * @param code of RFC 9113, section 7; see `ERROR`
   * @param reason what is known of it, one line for a log
   */
  gone(code: number, reason: string): void;
}

/** One request and its answer, on either side. */
export interface H2Stream {
  /** Its number on the connection. */
  readonly id: number;
  /** Header fields of the request. */
  readonly headers: FieldMap;
  /** Memory that the header fields take, in bytes. */
  readonly headerBytes: number;
  /** Set it before `onStream` returns, or right after `request`; without one, bytes are thrown away. */
  sink: StreamSink | undefined;
  /** Called when bytes that were queued were handed over, so that more may be written; and when it is over. */
  onRoom: (() => void) | undefined;
  /** Bytes that were written and not yet taken to be sent: the peer's windows hold them, or the socket. */
  readonly queuedBytes: number;
  /**
   * Bytes that should be queued so that none of the peer's time is lost: what is written at once, less
   * where the peer is slow.
   */
  readonly aheadBytes: number;
  /** Bytes of the body that were taken to be sent so far. */
  readonly sentBytes: number;
  /** Bytes of the body that came and were not consumed. */
  readonly heldBytes: number;
  /** Whether what is written still goes out: neither ended by us nor gone. */
  readonly isWritable: boolean;
  /**
   * Says that so many bytes of the body are no longer needed: the peer may send as many more. Safe
   * when the stream is over.
   */
  consume(bytes: number): void;
  /** Raises the window of a stream from `initialWindow` to `streamWindow`; further calls do nothing. */
  widen(): void;
  /**
   * A server's: sends the answer's header fields. Further calls do nothing.
   *
   * @param fields `:status` first; values of text that is not ASCII go out as UTF-8
   * @param isEnd nothing follows: the answer is whole ("trailers only" in gRPC)
   */
  respond(fields: readonly Field[], isEnd?: boolean): void;
  /**
   * Sends bytes of the body; never waits, so look at `queuedBytes` and wait for `onRoom`.
   *
   * @param bytes that do not change until `done`
   * @param done called once, when they may: they were handed to the operating system, or dropped
   */
  write(bytes: Uint8Array, done?: () => void): void;
  /** Says that all is sent, behind what is queued; a server that has not yet responded must do so first. */
  end(trailers?: readonly Field[]): void;
  /**
   * Ends the stream at once, in both directions; `gone` is called with this code. Does nothing if
   * it has ended.
   */
  reset(code: number): void;
}

/** A connection, as its users see it; `H2Driver` joins it with a socket. */
export interface H2Peer {
  /** Streams that are open, both sides counted. */
  readonly openStreams: number;
  /** Whether the connection has ended. */
  readonly isClosed: boolean;
  /** Why the connection was ended, if not in good order. */
  readonly error: Error | undefined;
  /** Streams begun on it so far. */
  readonly streams: number;
  /**
   * A client's: opens a stream. Body and end follow by `write` and `end`; set its sink at once.
   *
   * @param fields `:method`, `:scheme`, `:path`, `:authority` first
   * @param isEnd the request has no body
   * @returns `undefined` while the server takes no more streams (`canRequest`), or none any more
   * @throws {Error} if the fields are none of a request
   */
  request(fields: readonly Field[], isEnd?: boolean): H2Stream | undefined;
  /** A client's: whether a stream may be opened now; `onReady` is called when one may again. */
  readonly canRequest: boolean;
  /** A client's: called when a stream may be opened again after `request` gave none. */
  onReady: (() => void) | undefined;
  /**
   * Refuses new streams; those that are open go on, and the connection closes when the last of them
   * ends.
   */
  leave(reason?: string): void;
  /**
   * Ends the connection now: the peer is told why, and all streams are broken off with this code
   * and reason.
   *
   * @param code of RFC 9113, section 7; see `ERROR`
   * @param reason one line
   */
  close(code: number, reason: string): void;
}

/** Limits and deadlines of a connection; all may be left out. */
export interface H2Options {
  /** A server's: takes each new stream, and sets its sink. */
  readonly onStream?: (stream: H2Stream) => void;
  /** Bytes of the largest DATA frame that is taken, 16,384 to 16,777,215; default 1 MiB. */
  readonly maxFrameBytes?: number;
  /** Bytes that a stream may send before somebody has consumed them; default 2 MiB. */
  readonly streamWindow?: number;
  /** Bytes that a stream may send before `H2Stream.widen` was called; default `streamWindow`. */
  readonly initialWindow?: number;
  /** Bytes that all streams together may send before somebody has consumed them; default 4 MiB. */
  readonly connectionWindow?: number;
  /** Streams that a client may have open at once; default 64. */
  readonly maxStreams?: number;
  /** Bytes of a header block as sent, and of its fields as RFC 9113 counts them; default 16 KiB. */
  readonly maxHeaderBytes?: number;
  /** A server's: seconds until the first stream must have begun; default 10. */
  readonly headersTimeoutSec?: number;
  /** Seconds a connection may stay without streams; default 60 for servers, infinity for clients. */
  readonly idleTimeoutSec?: number;
  /** Seconds without a byte after which the peer is sent a PING; default 20. */
  readonly pingAfterSec?: number;
  /** Seconds a peer may be silent after it was sent a PING; default 10. */
  readonly pingTimeoutSec?: number;
  /** Monotonic clock in milliseconds; default `performance.now`. */
  readonly now?: Clock["now"];
}
