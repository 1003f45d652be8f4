/**
 * When what was gathered is written: at once where few files take messages, and where many do, all of
 * them together, so that each is written less often.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";

/** So many files are written as soon as something came for them. */
const FEW_FILES = 16;
/** Each file more makes the pause longer: at most a thousand writes a second. */
const MS_PER_FILE = 1;
/** The longest pause: with the next sync, well below the promised 500 ms. */
const MAX_PAUSE_MS = 150;
/** So much is written at once all the same: a copy of it in memory costs more than its writes. */
const MANY_BYTES = 1024 * 1024;

/** What a pace works with. */
export interface FlushPaceOptions {
  /** Monotonic milliseconds. */
  readonly now: Clock["now"];
  /** Calls back after so many milliseconds, once, and returns what calls that off. */
  readonly timer: Clock["timer"];
  /** Bytes that wait to be written. */
  readonly waitingBytes: () => number;
  /** Begins to write all that was gathered; tells into how many files. */
  readonly flush: () => number;
}

/** Says when files are written. */
export class FlushPace {
  readonly #options: FlushPaceOptions;
  #pauseMs = 0;
  #flushedAt = -Infinity;
  #callOff: (() => void) | undefined;

  /** @param options clock, and what is paced */
  constructor(options: FlushPaceOptions) {
    this.#options = options;
  }

  /** For how long messages are gathered now, in milliseconds. */
  get pauseMs(): number {
    return this.#pauseMs;
  }

  /** Something was gathered, and is to be written: now or when the pause is over. */
  ask(): void {
    const { now, timer, waitingBytes } = this.#options;
    if (this.#pauseMs === 0 || waitingBytes() >= MANY_BYTES) return this.flush();
    if (this.#callOff !== undefined) return;
    const leftMs = this.#flushedAt + this.#pauseMs - now();
    if (leftMs <= 0) return this.flush();
    this.#callOff = timer(leftMs, () => this.flush());
  }

  /** Begins to write now. */
  flush(): void {
    this.stop();
    this.#flushedAt = this.#options.now();
    const files = this.#options.flush();
    this.#pauseMs = files <= FEW_FILES ? 0 : Math.min(files * MS_PER_FILE, MAX_PAUSE_MS);
  }

  /** Calls off what has not begun. */
  stop(): void {
    this.#callOff?.();
    this.#callOff = undefined;
  }
}
