/**
 * The number of the last message that came of each file of each recording: a message whose number
 * is not above it came before.
 *
 * @module
 */
import { forgetOldest } from "../base/forget_oldest.ts";

/** How many recordings are remembered; the one without a message for longest is forgotten first. */
const MAX_RECORDINGS = 200_000;

/** How many files of one recording are remembered. */
const MAX_FILES = 8;

/** The form in which it is written down: for each recording its files, each with its last number. */
export type SeenJson = readonly (readonly [string, readonly (readonly [string, number])[]])[];

/** Remembers the last number of each file. */
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

  /** Takes note that all messages of a file came up to a number. */
  note(key: string, file: string, number: number): void {
    const files = this.#recordings.get(key) ?? new Map<string, number>();
    const before = files.get(file) ?? -1;
    // Moved to the end, so that the oldest is forgotten first.
    files.delete(file);
    files.set(file, Math.max(before, number));
    forgetOldest(files, MAX_FILES);
    this.#recordings.delete(key);
    this.#recordings.set(key, files);
    forgetOldest(this.#recordings, MAX_RECORDINGS);
  }

  /** How many recordings are remembered. */
  get size(): number {
    return this.#recordings.size;
  }

  /** All last numbers, in the order in which they were noted. */
  *all(): Generator<readonly [key: string, file: string, number: number]> {
    for (const [key, files] of this.#recordings) {
      for (const [file, number] of files) yield [key, file, number];
    }
  }

  /** The form to be written down. */
  toJSON(): SeenJson {
    return Array.from(this.#recordings, ([key, files]) => [key, [...files]] as const);
  }
}
