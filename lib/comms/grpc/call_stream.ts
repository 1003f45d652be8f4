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
  readInto?(most: number): Uint8Array<ArrayBuffer> | undefined;
  /**
   * Takes the next bytes of the body. The peer may send as many more once `consume` has said that
   * they are no longer needed.
   *
   * @returns `false` if nobody needs the bytes after this call
   */
  data(bytes: Uint8Array): boolean | void;
  /** The peer has sent all of its body; SDKs send no trailers. */
  end(trailers: ReadonlyMap<string, string>): void;
  /** The call was broken off before both sides ended it. */
  gone(code: number, reason: string): void;
}

/** How far an answer has come. */
export interface AnswerProgress {
  /** Bytes that should wait to be sent so that none of the peer's time is lost; few for a slow peer. */
  readonly aheadBytes?: number;
  /** Bytes that were taken to be sent so far; absent where that is not known. */
  readonly sentBytes?: number;
}

/** One request and its answer, seen from the server. */
export interface CallStream extends AnswerProgress {
  /** Header fields of the request, with `:method` and `:path`. */
  readonly headers: ReadonlyMap<string, string>;
  /** Takes what comes; must be set before the first bytes, or they are thrown away. */
  sink: CallSink | undefined;
  /** Called when more may be written, and when the call is over. */
  onRoom: (() => void) | undefined;
  /** Bytes that were written and wait to be sent. */
  readonly queuedBytes: number;
  /** Whether what is written is still sent. */
  readonly isWritable: boolean;
  /** Says that so many bytes of the body are no longer needed: the peer may send as many more. */
  consume(bytes: number): void;
  /** Lets the peer send ahead as much as it may in a call that was admitted. */
  widen(): void;
  /** Sends the answer's header fields, `:status` first; further calls do nothing. With `isEnd` nothing follows. */
  respond(fields: readonly CallField[], isEnd?: boolean): void;
  /** Sends bytes, which must not change until they were taken. */
  write(bytes: Uint8Array): void;
  /** Ends the answer. */
  end(trailers?: readonly CallField[]): void;
}

/** Whether a request is gRPC as it is spoken over HTTP/2. */
export function isGrpc(contentType: string | undefined): boolean {
  return /^application\/grpc(\+proto)?\s*(;|$)/i.test(contentType ?? "");
}
