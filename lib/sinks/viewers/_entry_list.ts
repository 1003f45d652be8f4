/**
 * Entries in the order of arrival, from which any may go.
 *
 * @module
 */
import type { Entry } from "./_entry.ts";

/** Those that are gone stay in place until they are the half, for places are found by number. */
const MIN_GONE = 1024;

/** A list of entries, each with a higher `seq` than the one before. */
export class EntryList {
  #entries: Entry[] = [];
  #gone = 0;
  /** Before it, all are protected or gone. */
  #scanned = 0;

  /** Puts the newest at the end. */
  push(entry: Entry): void {
    this.#entries.push(entry);
  }

  /** Notes that one of them is gone. */
  remove(entry: Entry): void {
    entry.isGone = true;
    if (++this.#gone < MIN_GONE || this.#gone * 2 < this.#entries.length) return;
    const seq = this.#entries[this.#scanned]?.seq ?? Infinity;
    this.#entries = this.#entries.filter(({ isGone }) => !isGone);
    this.#gone = 0;
    this.#scanned = this.#indexOf(seq);
  }

  /** The oldest that is neither protected nor gone. */
  oldest(): Entry | undefined {
    const entries = this.#entries;
    while (this.#scanned < entries.length) {
      const entry = entries[this.#scanned]!;
      if (!entry.isProtected && !entry.isGone) return entry;
      this.#scanned++;
    }
    return undefined;
  }

  /** Looks at it again for {@linkcode EntryList.oldest}: it is protected no more. */
  rescan({ seq }: Entry): void {
    this.#scanned = Math.min(this.#scanned, this.#indexOf(seq));
  }

  /** The oldest that is not gone, protected or not. */
  first(): Entry | undefined {
    return this.after(0);
  }

  /** The first after a place that is not gone. */
  after(seq: number): Entry | undefined {
    for (let i = this.#indexOf(seq + 1); i < this.#entries.length; i++) {
      if (!this.#entries[i]!.isGone) return this.#entries[i];
    }
    return undefined;
  }

  /** Those after a place that are not gone. */
  *from(seq: number): Iterable<Entry> {
    for (let i = this.#indexOf(seq + 1); i < this.#entries.length; i++) {
      if (!this.#entries[i]!.isGone) yield this.#entries[i]!;
    }
  }

  /** Where the first entry with this place or a later one is. */
  #indexOf(seq: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#entries[middle]!.seq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
