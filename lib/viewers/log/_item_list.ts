/**
 * A list of items in the order of arrival, from which any may be removed.
 *
 * @module
 */
import type { Item } from "./item.ts";

/**
 * Removed items stay in place until there are so many, and half of all: a binary search needs the
 * order.
 */
const MIN_GONE = 1024;

/** A list of items, each with a higher `seq` than the last of the one before. */
export class ItemList {
  #items: Item[] = [];
  #gone = 0;
  /** All items before this index are protected or gone. */
  #scanned = 0;

  /** The newest item, gone or not. */
  get last(): Item | undefined {
    return this.#items.at(-1);
  }

  /** The oldest item that is not gone. */
  get first(): Item | undefined {
    const [first] = this.after(0);
    return first;
  }

  /** The item with the message of a place, or the first item after it. */
  at(seq: number): Item | undefined {
    const [item] = this.after(seq - 1);
    return item;
  }

  /** Adds the newest item. */
  push(item: Item): void {
    this.#items.push(item);
  }

  /** Notes that an item is gone. */
  remove(item: Item): void {
    item.isGone = true;
    if (++this.#gone < MIN_GONE || this.#gone * 2 < this.#items.length) return;
    const seq = this.#items[this.#scanned]?.seq ?? Infinity;
    this.#items = this.#items.filter(({ isGone }) => !isGone);
    this.#gone = 0;
    this.#scanned = this.#indexOf(seq);
  }

  /** The oldest item that is neither protected nor gone. */
  oldest(): Item | undefined {
    const items = this.#items;
    while (this.#scanned < items.length) {
      const item = items[this.#scanned]!;
      if (!item.isProtected && !item.isGone) return item;
      this.#scanned++;
    }
    return undefined;
  }

  /**
   * Says that an item is no longer protected, so that {@linkcode ItemList.oldest} looks at it
   * again.
   */
  rescan({ seq }: Item): void {
    this.#scanned = Math.min(this.#scanned, this.#indexOf(seq));
  }

  /** Items with a message after a place that are not gone. */
  *after(seq: number): Iterable<Item> {
    for (let i = this.#indexOf(seq + 1); i < this.#items.length; i++) {
      if (!this.#items[i]!.isGone) yield this.#items[i]!;
    }
  }

  /** Items whose messages are all before a place and that are not gone, the newest first. */
  *before(seq: number): Iterable<Item> {
    for (let i = this.#indexOf(seq) - 1; i >= 0; i--) {
      if (!this.#items[i]!.isGone) yield this.#items[i]!;
    }
  }

  /** Index of the first item that has a message with this place or a later one. */
  #indexOf(seq: number): number {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#items[middle]!.lastSeq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
