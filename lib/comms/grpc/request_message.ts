import { GrpcBody } from "./body.ts";
import type { CallSink, CallStream } from "./call_stream.ts";
import { GrpcError, STATUS } from "./status.ts";

/** Whom a {@linkcode RequestMessage} tells. */
export interface RequestEvents {
  /** The request is whole. */
  onMessage(message: Uint8Array): void;
  /** It will not be. */
  onError(error: Error): void;
  /** Nobody waits for the answer any more; called after either of the others, too. */
  onGone(error: Error): void;
}

/** Takes the one message that a request has. */
export class RequestMessage implements CallSink {
  readonly #stream: CallStream;
  readonly #body: GrpcBody;
  readonly #events: RequestEvents;
  #message: Uint8Array | undefined;
  #isOver = false;

  /**
   * @param stream of the call
   * @param maxMessageBytes limit of the message
   * @param events whom to tell
   */
  constructor(stream: CallStream, maxMessageBytes: number, events: RequestEvents) {
    this.#stream = stream;
    this.#body = new GrpcBody({ maxMessageBytes });
    this.#events = events;
  }

  /** Bytes of memory taken for it. */
  get unfinishedBytes(): number {
    return this.#body.unfinishedBytes + (this.#message?.length ?? 0);
  }

  data(bytes: Uint8Array): false {
    this.#stream.consume(bytes.length);
    if (this.#isOver) return false;
    const { items, error } = this.#body.push(bytes);
    const [first, second] = items;
    if (error !== undefined) this.#fail(error);
    else if (second !== undefined || first !== undefined && this.#message !== undefined) {
      this.#fail(new GrpcError(STATUS.INVALID_ARGUMENT, "The request has more than one message"));
    } else if (first !== undefined) this.#message = first.slice();
    return false;
  }

  end(): void {
    if (this.#isOver) return;
    const { error } = this.#body.finish();
    if (error !== undefined) return this.#fail(error);
    if (this.#message === undefined) {
      return this.#fail(new GrpcError(STATUS.INVALID_ARGUMENT, "The request has no message"));
    }
    this.#isOver = true;
    this.#events.onMessage(this.#message);
  }

  gone(_code: number, reason: string): void {
    this.#isOver = true;
    this.#body.clear();
    this.#events.onGone(new GrpcError(STATUS.CANCELLED, reason));
  }

  #fail(error: Error): void {
    this.#isOver = true;
    this.#message = undefined;
    this.#body.clear();
    this.#events.onError(error);
  }
}
