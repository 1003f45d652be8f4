/**
 * What carries a call: a stream of HTTP/2, or for gRPC-web a request of HTTP/1.1.
 *
 * @module
 */

/** One header field; names are in lower case. */
export type CallField = readonly [name: string, value: string];

/** Takes what the peer sends in a call. */
export interface CallSink {
  /**
   * Where the next bytes may be read into.
   *
   * @param most how many of the next bytes are sure to be the body's
   */
  room?(most: number): Uint8Array<ArrayBuffer> | undefined;
  /**
   * The next bytes of the body, until `consume` has said of all before that they are done with.
   *
   * @returns `false` if nobody needs the bytes after this call
   */
  data(bytes: Uint8Array): boolean | void;
  /** The peer has sent all; SDKs have no trailers. */
  end(trailers: ReadonlyMap<string, string>): void;
  /** The call is over before both sides ended it. */
  gone(code: number, reason: string): void;
}

/** One request and its answer, seen from the server. */
export interface CallStream {
  /** Of the request, with `:method` and `:path`. */
  readonly headers: ReadonlyMap<string, string>;
  /** Set before the stream is given out of hand; without one, what comes is thrown away. */
  sink: CallSink | undefined;
  /** Called when more may be written, and when it is over. */
  onRoom: (() => void) | undefined;
  /** Bytes that were written and wait. */
  readonly queuedBytes: number;
  /** Whether what is written still goes out. */
  readonly isWritable: boolean;
  /** These bytes of the body are done with: the peer may send as many more. */
  consume(bytes: number): void;
  /** Lets the peer send as much ahead as a call that was taken may. */
  widen(): void;
  /** Sends the answer's header fields, `:status` first; further calls do nothing. With `isEnd` nothing follows. */
  respond(fields: readonly CallField[], isEnd?: boolean): void;
  /** Sends bytes, which may not change until they are taken. */
  write(bytes: Uint8Array): void;
  /** Says that all is sent. */
  end(trailers?: readonly CallField[]): void;
}

/** Whether a request is gRPC as it is spoken over HTTP/2. */
export function isGrpc(contentType: string | undefined): boolean {
  return /^application\/grpc(\+proto)?\s*(;|$)/i.test(contentType ?? "");
}
