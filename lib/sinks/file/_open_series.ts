/**
 * Bounds the files that are open at once: the one not written to for longest is closed in the
 * background.
 *
 * @module
 */
import type { Series } from "./_series.ts";

/** How many files may be open at once, including those that are being closed. */
const MAX_OPEN = 256;
/** How many files are closed at once to make room: closing is mostly waiting for the disk. */
const MAX_CLOSING = 64;

/** The series that have an open file; iterates over them, the one written to last at the end. */
export class OpenSeries implements Iterable<Series> {
  /** The one written to last at the end. */
  readonly #open = new Set<Series>();
  readonly #closing = new Set<Promise<void>>();
  readonly #most: number;

  /** @param most how many files the system lets us have open */
  constructor(most: number = MAX_OPEN) {
    this.#most = Math.min(most, MAX_OPEN);
  }

  /** How many there are. */
  get size(): number {
    return this.#open.size;
  }

  /** Notes a series that has a file, or is written to again. */
  use(series: Series): void {
    this.#open.delete(series);
    this.#open.add(series);
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
    while (this.#open.size + this.#closing.size >= this.#most) {
      if (this.#closing.size < Math.min(MAX_CLOSING, this.#most / 4)) this.#finishOldest();
      else await Promise.race(this.#closing);
    }
  }

  [Symbol.iterator](): Iterator<Series> {
    return this.#open[Symbol.iterator]();
  }

  #finishOldest(): void {
    const oldest = this.#open.values().next().value!;
    this.#open.delete(oldest);
    const closing = oldest.finish().then(() => void this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}
