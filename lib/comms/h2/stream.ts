import { contentLength } from "./field_rules.ts";
import type { ReceiveWindow } from "./receive_window.ts";
import { SendQueue } from "./send_queue.ts";
import type { Field, FieldMap, H2Stream, StreamSink } from "./types.ts";

/** What RFC 9113 counts for a field in addition to its name and value, in bytes. */
export const FIELD_BYTES = 32;

/** What a field takes of the runtime's memory in addition, in bytes. */
const FIELD_MEMORY = 128;

/** What a stream asks of its connection. */
export interface StreamHost {
  /** Bytes that are written at once. */
  readonly aheadBytes: number;
  /** Says that the stream has something to send. */
  ready(stream: Stream): void;
  /** Sends header fields, before any of its bytes. */
  sendHeaders(stream: Stream, fields: readonly Field[], isEnd: boolean): void;
  /** Ends the stream in both directions, as its user wants. */
  cancel(stream: Stream, code: number): void;
  /** Lets the peer send so many more bytes. */
  consume(stream: Stream, bytes: number): void;
  /** Lets the peer send as much as in a stream that was taken. */
  widen(stream: Stream): void;
}

/** What a stream begins with. */
export interface StreamStart {
  readonly id: number;
  /** Header fields of the request. */
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
  /** Memory that its header fields take, in bytes, estimated. */
  readonly headerBytes: number;
  /** How much the peer may send. */
  readonly receiveWindow: ReceiveWindow;
  /** Bytes that the peer lets us send; below 0 after it has made its windows smaller. */
  sendWindow: number;
  readonly queue = new SendQueue();
  /** Our trailers, set when we want to end it; empty if there are none. */
  trailers: readonly Field[] | undefined;
  /** Whether the end has been sent. */
  isEndedByUs = false;
  /** Whether the end has come. */
  isEndedByPeer = false;
  /** Whether it was reset, or its connection is over. */
  isGone = false;
  heldBytes = 0;
  sentBytes = 0;
  /** Whether the header fields of the answer have come, or, of a server, were sent. */
  hasAnswer = false;
  readonly isOurs: boolean;
  readonly #host: StreamHost;
  /** Declared length of the body in bytes, and how many came. */
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

  get aheadBytes(): number {
    return this.#host.aheadBytes;
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
   * Takes note of the declared length of the body.
   *
   * @param header fields that came before the body
   * @param isEnd whether there is no body
   * @returns whether the two agree
   */
  expect(fields: FieldMap, isEnd: boolean): boolean {
    this.#bodyBytes = contentLength(fields);
    const bytes = this.#bodyBytes;
    return bytes === undefined || (isEnd ? bytes === 0 : !Number.isNaN(bytes));
  }

  /** Takes note of bytes of the body; gives `false` if it is longer than was declared. */
  came(bytes: number): boolean {
    this.#cameBytes += bytes;
    return this.#bodyBytes === undefined || this.#cameBytes <= this.#bodyBytes;
  }

  /** Whether as much came as was declared. */
  get isWhole(): boolean {
    return this.#bodyBytes === undefined || this.#cameBytes === this.#bodyBytes;
  }
}
