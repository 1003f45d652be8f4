import { holdBytes } from "../../memory/buffer_pool.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import { answerError, answerMessage } from "./answer.ts";
import type { CallSink, CallStream } from "./call_stream.ts";
import type { Inflation } from "./inflate.ts";
import { CallCut } from "./status.ts";
import type { WriteMessages } from "./write_messages.ts";

/** The answer to a call that ended well. */
const NOTHING = new Uint8Array(0);

/** Where the messages of a call go. */
export interface MessageTaker {
  /**
   * Takes messages; is not called again before its promise resolves.
   *
   * @returns a promise where the call must wait before it sends more
   */
  take(msgs: LogMsg[]): Promise<void> | undefined;
  /**
   * Called once when the call is over, after all messages that came whole. The peer is answered
   * when this resolves.
   *
   * @param error why, if it did not end well
   */
  quit(error?: Error): Promise<void> | void;
}

/**
 * A `WriteMessages` call: its body becomes messages, which a taker takes at its own pace, and the
 * peer is answered once all of them were taken.
 *
 * While the taker is behind, or there is none yet, nothing is consumed: the peer stops when its
 * window is used up, and other calls on the connection go on.
 */
export class WriteCall implements CallSink {
  readonly #stream: CallStream;
  readonly #step: WriteMessages;
  readonly #onOver: () => void;
  #taker: MessageTaker | undefined;
  #isBehind = false;
  /** Messages that wait for the taker, bounded by the window, and the buffers that they use. */
  #pending: LogMsg[] = [];
  #pendingBytes = 0;
  #holds: (() => void)[] = [];
  /** Bytes that came and were not consumed. */
  #owed = 0;
  /** Set when nothing more of the body is read. */
  #over: { readonly error: Error | undefined } | undefined;
  #isQuit = false;
  /** The message that is being inflated, what came behind it, and how the body ended. */
  #inflation: Inflation | undefined;
  #backlog: Uint8Array[] = [];
  #backlogBytes = 0;
  #bodyEnd: "end" | "gone" | undefined;
  #isReadInto = false;
  #receivedBytes = 0;
  #messages = 0;
  /** Called when more is held for it while nothing is read. */
  onHeld: () => void = () => {};

  /**
   * @param stream of the call
   * @param step turns its body into messages
   * @param onOver called when all is done
   */
  constructor(stream: CallStream, step: WriteMessages, onOver: () => void = () => {}) {
    this.#stream = stream;
    this.#onOver = onOver;
    this.#step = step;
  }

  /**
   * Bytes of memory that are held for what is not whole, and for messages that the taker has not
   * taken.
   */
  get unfinishedBytes(): number {
    return this.#pendingBytes + this.#step.body.unfinishedBytes + this.#backlogBytes +
      (this.#inflation?.heldBytes ?? 0);
  }

  /** Bytes that came of a message that is not whole; 0 between messages. */
  get partialBytes(): number {
    return this.#step.body.partialBytes;
  }

  /** Whether the peer may have to wait for us, so that it is not to blame for its silence. */
  get isHeldBack(): boolean {
    return this.#isBehind || this.#taker === undefined || this.#inflation !== undefined;
  }

  /** Whether a message of it is being inflated, or waits to be. */
  get isInflating(): boolean {
    return this.#inflation !== undefined;
  }

  /** Bytes that came of its body. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** How many messages came whole. */
  get messages(): number {
    return this.#messages;
  }

  /** Whether a read into its memory may be under way. */
  get isReadInto(): boolean {
    return this.#isReadInto;
  }

  /** The error with which it ended; `undefined` if it ended well, and before its end. */
  get error(): Error | undefined {
    return this.#over?.error;
  }

  /** Whether nothing more is read of it. */
  get isOver(): boolean {
    return this.#over !== undefined;
  }

  /**
   * Admits the call: what came and what comes goes to a taker.
   *
   * @returns whether there is still something to take; if not, the taker is never called
   */
  admit(taker: MessageTaker): boolean {
    if (this.#isQuit) return false;
    this.#taker = taker;
    this.#stream.widen();
    this.#advance();
    return true;
  }

  /**
   * Ends the call from our side; what came whole before is still taken, if there is a taker. A call
   * that has come whole ends by itself once it has one.
   *
   * @param error that the peer is told
   */
  fail(error: Error): void {
    const endsByItself = this.#over !== undefined && this.#taker !== undefined;
    if (endsByItself || this.#isQuit) return;
    this.#over = { error };
    this.#inflation?.cancel();
    this.#inflation = undefined;
    this.#forgetBacklog();
    // A read into its memory may be under way, so this piece is kept.
    this.#step.body.shed();
    if (this.#taker === undefined) void this.#quit(error);
    else this.#advance();
  }

  readInto(most: number): Uint8Array<ArrayBuffer> | undefined {
    const room = this.#step.body.readInto(most);
    this.#isReadInto = room !== undefined;
    return room;
  }

  /**
   * Says that no read into its memory is under way any more, when the connection has ended during
   * one.
   */
  readsEnded(): void {
    this.#isReadInto = false;
    if (this.#isQuit) this.#step.body.clear();
  }

  data(bytes: Uint8Array): false {
    this.readsEnded();
    this.#owed += bytes.length;
    this.#receivedBytes += bytes.length;
    if (this.#over === undefined) {
      if (this.#inflation === undefined) this.#push(bytes);
      else this.#keep(bytes.slice());
    }
    this.#advance();
    return false;
  }

  end(): void {
    this.#bodyEnd ??= "end";
    this.#finish();
    this.#advance();
  }

  gone(): void {
    this.#bodyEnd = "gone";
    this.#finish();
    this.#advance();
  }

  /** Called when the body has ended and all of it was looked at. */
  #finish(): void {
    if (this.#bodyEnd === undefined || this.#inflation !== undefined) return;
    const isCut = this.#bodyEnd === "gone";
    this.#over ??= { error: this.#step.finish().error ?? (isCut ? new CallCut(0) : undefined) };
  }

  #push(bytes: Uint8Array): void {
    const { items, error, compressed, rest } = this.#step.push(bytes);
    this.#received(items);
    if (error !== undefined) this.#over = { error };
    if (compressed !== undefined) {
      if (rest !== undefined && rest.length > 0) this.#keep(rest.slice(), true);
      void this.#inflate(compressed.slice());
    }
    this.#step.body.releaseTaken();
  }

  #received(items: LogMsg[]): void {
    this.#messages += items.length;
    if (items.length > 0) this.#deliver(items);
  }

  /** Inflates a message. Nothing is consumed meanwhile, so no more comes than the window allows. */
  async #inflate(compressed: Uint8Array): Promise<void> {
    const inflation = this.#inflation = this.#step.inflation(() => this.onHeld());
    let result: { readonly items: LogMsg[]; readonly error?: Error };
    try {
      result = this.#step.pushInflated(await inflation.run(compressed));
    } catch (error) {
      result = { items: [], error: error as Error };
    }
    // The call was given up meanwhile.
    if (this.#inflation !== inflation) return;
    this.#inflation = undefined;
    this.#received(result.items);
    if (result.error !== undefined) this.#over ??= { error: result.error };
    while (this.#over === undefined && this.#inflation === undefined) {
      const next = this.#backlog.shift();
      if (next === undefined) break;
      this.#backlogBytes -= next.length;
      this.#push(next);
    }
    if (this.#over !== undefined) this.#forgetBacklog();
    this.#finish();
    this.onHeld();
    this.#advance();
  }

  #keep(bytes: Uint8Array, isNext = false): void {
    if (isNext) this.#backlog.unshift(bytes);
    else this.#backlog.push(bytes);
    this.#backlogBytes += bytes.length;
  }

  #forgetBacklog(): void {
    this.#backlog = [];
    this.#backlogBytes = 0;
  }

  #deliver(msgs: LogMsg[]): void {
    if (!this.isHeldBack) return this.#give(msgs);
    let last: ArrayBufferLike | undefined;
    for (const msg of msgs) {
      const { bytes } = msg.encoded;
      this.#pending.push(msg);
      this.#pendingBytes += bytes.length;
      if (bytes.buffer === last) continue;
      last = bytes.buffer;
      const release = holdBytes(bytes);
      if (release !== undefined) this.#holds.push(release);
    }
  }

  #give(msgs: LogMsg[]): void {
    const wait = this.#taker!.take(msgs);
    if (wait === undefined) return;
    this.#isBehind = true;
    const goOn = () => {
      this.#isBehind = false;
      this.#advance();
    };
    wait.then(goOn, (error: Error) => {
      this.#over ??= { error };
      goOn();
    });
  }

  /**
   * Does what can be done now, in this order: hands messages to the taker, lets the peer send more,
   * ends the call.
   */
  #advance(): void {
    if (this.isHeldBack) return;
    if (this.#pending.length > 0) {
      const msgs = this.#pending;
      this.#pending = [];
      this.#pendingBytes = 0;
      this.#give(msgs);
      this.#release();
      if (this.#isBehind) return;
    }
    const owed = this.#owed;
    this.#owed = 0;
    if (owed > 0) this.#stream.consume(owed);
    if (this.#over !== undefined && !this.#isQuit) void this.#quit(this.#over.error);
  }

  #release(): void {
    for (const release of this.#holds) release();
    this.#holds = [];
  }

  async #quit(error: Error | undefined): Promise<void> {
    this.#isQuit = true;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#release();
    let outcome = error;
    try {
      await this.#taker?.quit(error);
    } catch (cause) {
      outcome ??= cause as Error;
    }
    // Memory into which a read is under way must not be given to others.
    if (!this.#isReadInto) this.#step.body.clear();
    this.#onOver();
    if (outcome === undefined) answerMessage(this.#stream, NOTHING);
    else answerError(this.#stream, outcome);
  }
}
