/**
 * The last message of each file that came of each recording: whatever is not above it came before.
 *
 * @module
 */
import { forgetOldest } from "../base/forget_oldest.ts";

/** Recordings of boxes that are remembered; the one longest without a message goes first. */
const MAX_RECORDINGS = 200_000;

/** Files of one recording, the newest last. */
const MAX_FILES = 8;

/** As it is written down: for each recording its files, each with its last number. */
export type SeenJson = readonly (readonly [string, readonly (readonly [string, number])[]])[];

/** What came last. */
export class NatsSeen {
  readonly #recordings = new Map<string, Map<string, number>>();

  /** @param json what was written down */
  constructor(json: SeenJson = []) {
    for (const [key, files] of json) this.#recordings.set(key, new Map(files));
  }

  /** The last number of a file that came of a recording; -1 where none did. */
  last(key: string, file: string): number {
    return this.#recordings.get(key)?.get(file) ?? -1;
  }

  /** All up to a number of a file came. */
  note(key: string, file: string, number: number): void {
    const files = this.#recordings.get(key) ?? new Map<string, number>();
    const before = files.get(file) ?? -1;
    // The one used last at the end, so that the oldest goes first.
    files.delete(file);
    files.set(file, Math.max(before, number));
    forgetOldest(files, MAX_FILES);
    this.#recordings.delete(key);
    this.#recordings.set(key, files);
    forgetOldest(this.#recordings, MAX_RECORDINGS);
  }

  /** What is to be written down. */
  toJSON(): SeenJson {
    return Array.from(this.#recordings, ([key, files]) => [key, [...files]] as const);
  }
}
