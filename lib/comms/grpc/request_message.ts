import { GrpcBody } from "./body.ts";
import type { CallSink, CallStream } from "./call_stream.ts";
import { type Encoding, Inflation, type InflationTurns } from "./inflate.ts";
import { GrpcError, STATUS } from "./status.ts";

/** Who hears of a {@linkcode RequestMessage}. */
export interface RequestEvents {
  /** Called with the message of the whole request. */
  onMessage(message: Uint8Array): void;
  /** Called if the request will never be whole. */
  onError(error: Error): void;
  /** Called when nobody waits for the answer any more, also after one of the others was called. */
  onGone(error: Error): void;
}

/** A request of one message that is on its way, as the account of memory sees it. */
export interface PendingRequest {
  /** Bytes of memory taken for it. */
  readonly unfinishedBytes: number;
  /** Bytes that came of its body. */
  readonly receivedBytes: number;
  /** Bytes that came of its message while that is not whole; else 0. */
  readonly partialBytes: number;
  /** Whether nothing more of it is awaited or held: it is answered, or will be. */
  readonly isOver: boolean;
  /** Called when more is held for it while nothing is read. */
  onHeld: () => void;
  /** Ends the call: what came is forgotten at once, and the peer is told why. */
  fail(error: Error): void;
}

/** How large a message may be, and how it may be compressed. */
export interface RequestOptions {
  readonly maxMessageBytes: number;
  readonly encoding?: Encoding | undefined;
  readonly turns?: InflationTurns | undefined;
}

/** Takes the one message that a request has. */
export class RequestMessage implements CallSink, PendingRequest {
  readonly #stream: CallStream;
  readonly #options: RequestOptions;
  readonly #body: GrpcBody;
  readonly #events: RequestEvents;
  #message: Uint8Array | undefined;
  #isCompressed = false;
  #inflation: Inflation | undefined;
  #receivedBytes = 0;
  #isOver = false;
  onHeld: () => void = () => {};

  /**
   * @param stream of the call
   * @param options limits of the message
   * @param events whom to tell
   */
  constructor(stream: CallStream, options: RequestOptions, events: RequestEvents) {
    this.#stream = stream;
    this.#options = options;
    // In slabs, for the memory of this body is given back whichever way the call ends.
    this.#body = new GrpcBody({ ...options, inSlabs: true });
    this.#events = events;
  }

  get unfinishedBytes(): number {
    return this.#body.unfinishedBytes + (this.#message?.length ?? 0) +
      (this.#inflation?.heldBytes ?? 0);
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  get partialBytes(): number {
    return this.#body.partialBytes;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  data(bytes: Uint8Array): false {
    this.#stream.consume(bytes.length);
    this.#receivedBytes += bytes.length;
    if (this.#isOver) return false;
    const { items: [plain, second], error, compressed, rest } = this.#body.push(bytes);
    const first = plain ?? compressed;
    const hasMore = second !== undefined || plain !== undefined && compressed !== undefined ||
      rest !== undefined && rest.length > 0;
    if (error !== undefined) this.fail(error);
    else if (hasMore || first !== undefined && this.#message !== undefined) {
      this.fail(new GrpcError(STATUS.INVALID_ARGUMENT, "The request has more than one message"));
    } else if (first !== undefined) {
      // A message that came in one piece is a view on what was read, so it is copied.
      this.#message = first.buffer === bytes.buffer ? first.slice() : first;
      this.#isCompressed = compressed !== undefined;
    }
    return false;
  }

  end(): void {
    if (this.#isOver) return;
    const { error } = this.#body.finish();
    if (error !== undefined) return this.fail(error);
    const message = this.#message;
    if (message === undefined) {
      return this.fail(new GrpcError(STATUS.INVALID_ARGUMENT, "The request has no message"));
    }
    this.#message = undefined;
    if (this.#isCompressed) void this.#inflate(message);
    else this.#done(message);
  }

  gone(_code: number, reason: string): void {
    this.#forget();
    this.#events.onGone(new GrpcError(STATUS.CANCELLED, reason));
  }

  fail(error: Error): void {
    if (this.#isOver) return;
    this.#forget();
    this.#events.onError(error);
  }

  #forget(): void {
    this.#isOver = true;
    this.#message = undefined;
    this.#inflation?.cancel();
    this.#inflation = undefined;
    this.#body.clear();
  }

  #done(message: Uint8Array): void {
    this.#isOver = true;
    this.#events.onMessage(message);
  }

  async #inflate(message: Uint8Array): Promise<void> {
    const { encoding, maxMessageBytes, turns } = this.#options;
    const onGrow = () => this.onHeld();
    this.#inflation = new Inflation({ encoding: encoding!, maxMessageBytes, onGrow, turns });
    try {
      const inflated = await this.#inflation.run(message);
      this.#inflation = undefined;
      if (!this.#isOver) this.#done(inflated);
    } catch (error) {
      this.fail(error as Error);
    }
  }
}
