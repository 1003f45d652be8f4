/**
 * Limits how fast history is filled in beside live messages: sockets take megabytes before they are
 * full, and on a slow link live messages would wait behind these.
 *
 * The rate of a link is known when its socket is full. Until then twice as much is given in each
 * half second; from then on a little less than the rate, so that sockets drain, and now and then
 * more, to see whether the link has become faster.
 *
 * @module
 */

/** The rate before anything is known, in bytes a second. */
const FIRST_RATE = 2 * 1024 * 1024;
const MIN_RATE = 64 * 1024;
/** Bytes that are given at once. */
const BURST_BYTES = 512 * 1024;
/** Length of a window of measuring, in milliseconds. */
const WINDOW_MS = 500;
/** A socket that keeps its viewer waiting for this share of the time is full. */
const FULL_SHARE = 0.5;
/** The share of a link's rate that is given. */
const SHARE = 0.8;
/** Bytes that sockets may have taken before one is found full. */
const MAX_HELD_BYTES = 16 * 1024 * 1024;
/** Growth of the rate in a window, up to the known rate and beyond it. */
const GROWTH = { known: 2, beyond: 1.03 } as const;
/**
 * How long after its socket was full a link is given no more than its known rate, in milliseconds.
 */
const HOLD_MS = 20_000;
/** Factor by which the known rate decays in a window if the link takes less. */
const DECAY = 0.85;

/** The pace of one viewer; time is passed in, in monotonic milliseconds. */
export class Pace {
  /** The present rate, in bytes a second. */
  #rate = FIRST_RATE;
  /** The known rate of the link; `undefined` until its socket was full. */
  #known: number | undefined;
  /** Bytes given beyond what the rate allows. */
  #debt = 0;
  /** Bytes that the sockets hold when they are full. */
  #held = 0;
  #fullMs = -Infinity;
  #given = 0;
  readonly #begunMs: number;
  #atMs: number;
  #gaveMs: number | undefined;
  #window: { readonly fromMs: number; bytes: number; fullMs: number; isPaused: boolean };

  constructor(nowMs: number) {
    this.#begunMs = this.#atMs = nowMs;
    this.#window = newWindow(nowMs);
  }

  /** Takes note that the viewer was given history or live messages. */
  gave(bytes: number, nowMs: number): void {
    this.#pass(nowMs);
    this.#gaveMs = nowMs;
    this.#window.bytes += bytes;
    this.#given += bytes;
    this.#debt = Math.min(this.#debt + bytes, Math.max(bytes, MAX_HELD_BYTES));
  }

  /** Takes note that the viewer asks for more, because its socket has room. */
  asks(nowMs: number): void {
    if (this.#gaveMs !== undefined) this.#window.fullMs += nowMs - this.#gaveMs;
    this.#gaveMs = undefined;
    this.#pass(nowMs);
  }

  /** How long to wait before more history is given, in milliseconds. */
  pauseMs(nowMs: number): number {
    this.#pass(nowMs);
    const beyond = this.#debt - BURST_BYTES;
    if (beyond <= 0) return 0;
    this.#window.isPaused = true;
    return beyond / this.#rate * 1000;
  }

  #pass(nowMs: number): void {
    this.#debt = Math.max(0, this.#debt - this.#rate * (nowMs - this.#atMs) / 1000);
    this.#atMs = nowMs;
    if (nowMs - this.#window.fromMs >= WINDOW_MS && this.#gaveMs === undefined) this.#look(nowMs);
  }

  #look(nowMs: number): void {
    const { fromMs, bytes, fullMs, isPaused } = this.#window;
    const ms = nowMs - fromMs;
    this.#window = newWindow(nowMs);
    if (fullMs >= FULL_SHARE * ms) {
      const took = bytes / ms * 1000;
      if (this.#known === undefined) this.#learn(took, nowMs);
      this.#known = Math.max(took, (this.#known ?? took) * DECAY);
      this.#rate = Math.max(MIN_RATE, SHARE * took);
      this.#debt = Math.max(this.#debt, BURST_BYTES + this.#held);
      this.#fullMs = nowMs;
      return;
    }
    // The rate grows only if history was held back by it.
    if (!isPaused) return;
    const known = SHARE * (this.#known ?? Infinity);
    const quicker = Math.min(known, this.#rate * GROWTH.known);
    const isHeld = nowMs - this.#fullMs < HOLD_MS;
    this.#rate = Math.max(quicker, this.#rate * (isHeld ? 1 : GROWTH.beyond));
  }

  #learn(took: number, nowMs: number): void {
    const held = this.#given - took * (nowMs - this.#begunMs) / 1000;
    this.#held = Math.min(Math.max(0, held), MAX_HELD_BYTES);
  }
}

function newWindow(fromMs: number) {
  return { fromMs, bytes: 0, fullMs: 0, isPaused: false };
}
