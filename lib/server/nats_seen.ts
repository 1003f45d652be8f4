/**
 * The number of the last message that came of each file of each recording: a message whose number
 * is not above it came before.
 *
 * @module
 */
import { forgetOldest } from "../base/forget_oldest.ts";

/** How many recordings are remembered; the one without a message for longest is forgotten first. */
const MAX_RECORDINGS = 200_000;

/** How many files of one recording are remembered, and how many of all. */
const MAX_FILES = 1024;
const MAX_ALL_FILES = 400_000;

/** The form in which it is written down: for each recording its files, each with its last number. */
export type SeenJson = readonly (readonly [string, readonly (readonly [string, number])[]])[];

/** Remembers the last number of each file. */
export class NatsSeen {
  readonly #recordings = new Map<string, Map<string, number>>();
  #files = 0;
  /** What was noted since the last call of `changes`; `undefined` before the first. */
  #changed: Map<string, Set<string>> | undefined;

  /** @param json what was written down, and may have been changed by what was written down later */
  constructor(json: SeenJson = []) {
    this.take(json);
  }

  /** How many recordings are remembered. */
  get size(): number {
    return this.#recordings.size;
  }

  /** The last number of a file that came of a recording; -1 where none did. */
  last(key: string, file: string): number {
    return this.#recordings.get(key)?.get(file) ?? -1;
  }

  /** Takes note that all messages of a file came up to a number. */
  note(key: string, file: string, number: number): void {
    const files = this.#recordings.get(key) ?? new Map<string, number>();
    const before = files.get(file);
    if (before === undefined) this.#files++;
    // Moved to the end, so that the oldest is forgotten first.
    files.delete(file);
    files.set(file, Math.max(before ?? -1, number));
    this.#files -= forgetOldest(files, MAX_FILES).length;
    this.#recordings.delete(key);
    this.#recordings.set(key, files);
    for (const [gone, { size }] of forgetOldest(this.#recordings, MAX_RECORDINGS)) {
      this.#files -= size;
      this.#changed?.delete(gone);
    }
    this.#forgetFiles();
    const changed = this.#changed?.get(key);
    if (changed === undefined) this.#changed?.set(key, new Set([file]));
    else changed.add(file);
  }

  /** Takes note of what was written down. */
  take(json: SeenJson): void {
    for (const [key, files] of json) {
      for (const [file, number] of files) this.note(key, file, number);
    }
  }

  /** All last numbers, in the order in which they were noted. */
  *all(): Generator<readonly [key: string, file: string, number: number]> {
    for (const [key, files] of this.#recordings) {
      for (const [file, number] of files) yield [key, file, number];
    }
  }

  /** What was noted since the last call; all at the first one. */
  changes(): SeenJson {
    const changed = this.#changed;
    this.#changed = new Map();
    if (changed === undefined) return this.toJSON();
    return Array.from(changed, ([key, files]) => {
      const numbers = this.#recordings.get(key);
      const known = [...files].filter((file) => numbers?.has(file));
      return [key, known.map((file) => [file, numbers!.get(file)!] as const)] as const;
    });
  }

  /** The form to be written down. */
  toJSON(): SeenJson {
    return Array.from(this.#recordings, ([key, files]) => [key, [...files]] as const);
  }

  /** Forgets files of recordings that got nothing for longest, but the last of each. */
  #forgetFiles(): void {
    if (this.#files <= MAX_ALL_FILES) return;
    for (const files of this.#recordings.values()) {
      this.#files -= forgetOldest(files, 1).length;
      if (this.#files <= MAX_ALL_FILES * 15 / 16) return;
    }
  }
}
