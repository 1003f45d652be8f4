/**
 * Bounds the recordings whose files are being written: those that nothing came for are closed in the
 * background.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Series } from "./_series.ts";

/** How many files may be written at once, including those that are being closed. */
const MAX_WRITTEN = 10_000;
/** How many files are closed at once to make room: closing is mostly waiting for the disk. */
const MAX_CLOSING = 64;
/** So many files may stay unfinished though nothing comes for them. */
const MAX_QUIET = 256;
/** A file that nothing came for in this time, in milliseconds, makes room for others. */
const QUIET_MS = 600_000;

/** What {@linkcode OpenSeries} goes by. */
export interface OpenSeriesOptions {
  /** How many files the system lets us write at once. */
  readonly most: () => number;
  /** Monotonic milliseconds. */
  readonly now: Clock["now"];
}

/** The series that have an open file; iterates over them, the one written to last at the end. */
export class OpenSeries implements Iterable<Series> {
  /** With when it was written to last, in milliseconds; the one written to last at the end. */
  readonly #open = new Map<Series, number>();
  readonly #closing = new Set<Promise<void>>();
  readonly #options: OpenSeriesOptions;
  /** The one written to last. */
  #last: Series | undefined;

  /** @param options limit and clock */
  constructor(options: OpenSeriesOptions) {
    this.#options = options;
  }

  /** How many there are. */
  get size(): number {
    return this.#open.size;
  }

  /** Notes a series that has a file, or is written to again. */
  use(series: Series): void {
    const now = this.#options.now();
    // It was written to until now, without being noted each time.
    if (this.#last !== undefined && this.#open.has(this.#last)) this.#open.set(this.#last, now);
    this.#last = series;
    this.#open.delete(series);
    this.#open.set(series, now);
  }

  /** Whether a series is noted. */
  has(series: Series): boolean {
    return this.#open.has(series);
  }

  /** Forgets a series. */
  delete(series: Series): void {
    this.#open.delete(series);
  }

  /** Whether so many more files may be opened now. */
  hasRoomFor(count: number): boolean {
    return this.#open.size + this.#closing.size + count <= this.#most;
  }

  /** Resolves when one more file may be opened. */
  async waitForRoom(): Promise<void> {
    this.#finishQuiet();
    while (this.#open.size + this.#closing.size >= this.#most) {
      if (this.#closing.size < Math.min(MAX_CLOSING, this.#most / 4)) this.#finish(this.#oldest);
      else await Promise.race(this.#closing);
    }
  }

  [Symbol.iterator](): Iterator<Series> {
    return this.#open.keys();
  }

  get #most(): number {
    return Math.min(MAX_WRITTEN, this.#options.most());
  }

  get #oldest(): Series {
    return this.#open.keys().next().value!;
  }

  /** Finishes files of recordings that are over: only then they are forwarded whole, or removed. */
  #finishQuiet(): void {
    const quietSince = this.#options.now() - QUIET_MS;
    while (this.#open.size >= MAX_QUIET && this.#closing.size < MAX_CLOSING) {
      const oldest = this.#oldest;
      if (oldest === this.#last || this.#open.get(oldest)! > quietSince) return;
      this.#finish(oldest);
    }
  }

  #finish(series: Series): void {
    this.#open.delete(series);
    const closing = series.finish().then(() => void this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}
