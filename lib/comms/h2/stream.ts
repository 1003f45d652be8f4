import { contentLength } from "./field_rules.ts";
import type { ReceiveWindow } from "./receive_window.ts";
import { SendQueue } from "./send_queue.ts";
import type { Field, FieldMap, H2Stream, StreamSink } from "./types.ts";

/** What RFC 9113 counts for a field beside its name and value, in bytes. */
export const FIELD_BYTES = 32;

/** What a runtime needs for it beside these. */
const FIELD_MEMORY = 128;

/** What a stream asks of its connection. */
export interface StreamHost {
  /** It has something to send. */
  ready(stream: Stream): void;
  /** Sends header fields, before any of its bytes. */
  sendHeaders(stream: Stream, fields: readonly Field[], isEnd: boolean): void;
  /** Ends it both ways, as its user wants. */
  cancel(stream: Stream, code: number): void;
  /** The peer may send so many bytes more. */
  consume(stream: Stream, bytes: number): void;
  /** The peer may send as much as a stream may. */
  widen(stream: Stream): void;
}

/** What a stream begins with. */
export interface StreamStart {
  readonly id: number;
  /** Of the request. */
  readonly headers: FieldMap;
  readonly receiveWindow: ReceiveWindow;
  /** Bytes that the peer lets us send. */
  readonly sendWindow: number;
  /** Whether we are the one who asked. */
  readonly isOurs: boolean;
}

/** One request and its answer: the state of both halves. */
export class Stream implements H2Stream {
  readonly id: number;
  readonly headers: FieldMap;
  sink: StreamSink | undefined;
  onRoom: (() => void) | undefined;
  /** Memory that its header fields take, in bytes, about. */
  readonly headerBytes: number;
  /** Of the bytes that come. */
  readonly receiveWindow: ReceiveWindow;
  /** Bytes that the peer lets us send; below 0 after it has made its windows smaller. */
  sendWindow: number;
  readonly queue = new SendQueue();
  /** Our trailers, empty if there are none, once we want to end it. */
  trailers: readonly Field[] | undefined;
  /** The end has been sent. */
  isEndedByUs = false;
  /** The end has come. */
  isEndedByPeer = false;
  /** It was reset, or its connection is over. */
  isGone = false;
  heldBytes = 0;
  /** A client's: the answer's header fields are there. A server's: they were sent. */
  hasAnswer = false;
  readonly isOurs: boolean;
  readonly #host: StreamHost;
  /** What the body is said to have in bytes, and what of it came. */
  #bodyBytes: number | undefined;
  #cameBytes = 0;

  constructor(host: StreamHost, { id, headers, receiveWindow, sendWindow, isOurs }: StreamStart) {
    this.#host = host;
    this.id = id;
    this.headers = headers;
    let headerBytes = 0;
    for (const [name, value] of headers) headerBytes += name.length + value.length + FIELD_MEMORY;
    this.headerBytes = headerBytes;
    this.receiveWindow = receiveWindow;
    this.sendWindow = sendWindow;
    this.isOurs = isOurs;
  }

  // ------------------------------------------------------------------------------ for its user

  get queuedBytes(): number {
    return this.queue.bytes;
  }

  get isWritable(): boolean {
    return !this.isGone && !this.isEndedByUs && this.trailers === undefined;
  }

  consume(bytes: number): void {
    this.#host.consume(this, bytes);
  }

  widen(): void {
    this.#host.widen(this);
  }

  respond(fields: readonly Field[], isEnd = false): void {
    if (this.isOurs) throw new Error("A client does not respond: it sends by write and end");
    if (this.hasAnswer || !this.isWritable) return;
    this.hasAnswer = true;
    this.#host.sendHeaders(this, fields, isEnd);
  }

  write(bytes: Uint8Array, done?: () => void): void {
    this.#checkBegun("write");
    if (!this.isWritable || bytes.length === 0) {
      done?.();
      return;
    }
    this.queue.push(bytes, done);
    this.#host.ready(this);
  }

  end(trailers: readonly Field[] = []): void {
    this.#checkBegun("end");
    if (!this.isWritable) return;
    this.trailers = trailers;
    this.#host.ready(this);
  }

  reset(code: number): void {
    this.#host.cancel(this, code);
  }

  #checkBegun(what: string): void {
    if (this.isOurs || this.hasAnswer || this.isGone) return;
    throw new Error(`respond() comes before ${what}()`);
  }

  // ------------------------------------------------------------------------ for its connection

  /** Whether there is something to send. */
  get isReady(): boolean {
    return !this.isGone && !this.isEndedByUs &&
      (this.queue.bytes > 0 || this.trailers !== undefined);
  }

  /**
   * Notes how long the body is said to be.
   *
   * @param fields that came before it
   * @param isEnd whether there is none
   * @returns whether that can be
   */
  expect(fields: FieldMap, isEnd: boolean): boolean {
    this.#bodyBytes = contentLength(fields);
    const bytes = this.#bodyBytes;
    return bytes === undefined || (isEnd ? bytes === 0 : !Number.isNaN(bytes));
  }

  /** So many bytes of the body came; `false` if it is longer than was said. */
  came(bytes: number): boolean {
    this.#cameBytes += bytes;
    return this.#bodyBytes === undefined || this.#cameBytes <= this.#bodyBytes;
  }

  /** Whether all came that was said to come. */
  get isWhole(): boolean {
    return this.#bodyBytes === undefined || this.#cameBytes === this.#bodyBytes;
  }
}
