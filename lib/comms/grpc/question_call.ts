import { HandshakeTimeout } from "../../base/limit_errors.ts";
import { frameHead, GrpcBody } from "./body.ts";
import { beginAnswer, endAnswer, waitForRoom } from "./answer.ts";
import type { CallSink, CallStream } from "./call_stream.ts";
import type { PendingRequest } from "./request_message.ts";
import { GrpcError, STATUS } from "./status.ts";

/** Bytes that a waiting question takes besides its own, estimated. */
const OBJECT_BYTES = 256;

/** Who answers the questions of a {@linkcode QuestionCall}, and hears of its end. */
export interface QuestionEvents {
  /** Answers one question. */
  answer(question: Uint8Array): Promise<Uint8Array>;
  /** The call is over: well, or for this reason, which the peer has not been told yet. */
  over(error?: Error): void;
}

/** A call of as many questions as the peer likes, each answered before the next is looked at. */
export class QuestionCall implements CallSink, PendingRequest {
  readonly #stream: CallStream;
  readonly #events: QuestionEvents;
  readonly #body: GrpcBody;
  #questions: Uint8Array[] = [];
  /** Bytes of the body that came and were not consumed. */
  #held = 0;
  #receivedBytes = 0;
  #isAnswering = false;
  #hasAll = false;
  #isOver = false;
  onHeld: () => void = () => {};

  /**
   * @param stream of the call
   * @param maxMessageBytes limit of a question
   * @param events whom to ask and tell
   */
  constructor(stream: CallStream, maxMessageBytes: number, events: QuestionEvents) {
    this.#stream = stream;
    this.#events = events;
    this.#body = new GrpcBody({ maxMessageBytes, inSlabs: true });
  }

  get unfinishedBytes(): number {
    return this.#body.unfinishedBytes + this.#held + OBJECT_BYTES * this.#questions.length;
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
    this.#receivedBytes += bytes.length;
    if (this.#isOver) {
      this.#stream.consume(bytes.length);
      return false;
    }
    // Until the questions are answered, the peer may send no more than its window.
    this.#held += bytes.length;
    const { items, error } = this.#body.push(bytes);
    for (const item of items) this.#questions.push(item.slice());
    if (error !== undefined) this.fail(error);
    else void this.#answer();
    return false;
  }

  end(): void {
    if (this.#isOver) return;
    const { error } = this.#body.finish();
    if (error !== undefined) return this.fail(error);
    this.#hasAll = true;
    void this.#answer();
  }

  gone(_code: number, reason: string): void {
    this.fail(new GrpcError(STATUS.CANCELLED, reason));
  }

  fail(error: Error): void {
    if (this.#isOver) return;
    // It asks nothing more: grpcurl leaves it open as long as it reads.
    if (error instanceof HandshakeTimeout && !this.#isAnswering) return this.end();
    this.#forget();
    this.#events.over(error);
  }

  #forget(): void {
    this.#isOver = true;
    this.#questions = [];
    this.#body.clear();
    this.#consume();
  }

  #consume(): void {
    const held = this.#held;
    this.#held = 0;
    if (held > 0) this.#stream.consume(held);
  }

  async #answer(): Promise<void> {
    if (this.#isAnswering) return;
    this.#isAnswering = true;
    const stream = this.#stream;
    try {
      for (let question; (question = this.#questions.shift()) !== undefined;) {
        const answer = await this.#events.answer(question);
        if (this.#isOver || !stream.isWritable) break;
        beginAnswer(stream);
        stream.write(frameHead(answer.length));
        stream.write(answer);
        await waitForRoom(stream);
      }
    } catch (error) {
      this.fail(error as Error);
    }
    this.#isAnswering = false;
    if (this.#isOver) return;
    this.#consume();
    if (!this.#hasAll) return;
    this.#forget();
    if (stream.isWritable) endAnswer(stream);
    this.#events.over();
  }
}
