/**
 * A late viewer's way through the history: it holds nothing, so what is dropped meanwhile it misses,
 * as whoever joins later does.
 *
 * @module
 */
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { History } from "./history.ts";
import type { Item } from "./item.ts";
import type { ItemList } from "./_item_list.ts";

/** A place in the history. */
export class HistoryCursor {
  readonly #history: History;
  /** What came until here is given preamble first. */
  #joined: number;
  #preambleAt = 0;
  #chunksAt = 0;

  /**
   * @param history where it goes through
   * @param order whether what explains chunks comes before all of them
   */
  constructor(history: History, order: "viewer" | "arrival") {
    this.#history = history;
    this.#joined = order === "viewer" ? history.memory.lastSeq : 0;
  }

  /** The last place that was given, in the order of arrival. */
  get at(): number {
    return Math.max(this.#preambleAt, this.#chunksAt);
  }

  /** Goes on behind a place, in the order of arrival. */
  moveTo(seq: number): void {
    this.#joined = 0;
    this.#preambleAt = this.#chunksAt = seq;
  }

  /**
   * The next messages.
   *
   * @param maxBytes about how many; a larger message comes alone
   * @param wants which of them
   * @returns `isAtEnd`: there is no more now
   */
  take(maxBytes: number, wants: (msg: LogMsg) => boolean): { msgs: LogMsg[]; isAtEnd: boolean } {
    const msgs: LogMsg[] = [];
    const isAtEnd = this.walk(maxBytes, (item, from) => {
      let bytes = 0;
      for (const msg of item.from(from)) {
        if (!wants(msg)) continue;
        msgs.push(msg);
        bytes += msg.encoded.bytes.length;
      }
      return bytes;
    });
    return { msgs, isAtEnd };
  }

  /**
   * Goes on.
   *
   * @param maxBytes about how many; a larger message comes alone
   * @param give is given each item and the first place in it that was not given; returns the bytes
   * @returns whether there is no more now
   */
  walk(maxBytes: number, give: (item: Item, from: number) => number): boolean {
    let bytes = 0;
    const preamble = new Walk(this.#history.preamble, this.#preambleAt);
    const chunks = new Walk(this.#history.chunks, this.#chunksAt);
    for (;;) {
      const isPreamble = this.#goesFirst(preamble.item, chunks.item);
      const walk = isPreamble ? preamble : chunks;
      const { item } = walk;
      if (item === undefined) return true;
      if (bytes > 0 && bytes + item.bytes > maxBytes) return false;
      const after = isPreamble ? this.#preambleAt : this.#chunksAt;
      bytes += give(item, Math.max(after + 1, item.seq));
      if (isPreamble) this.#preambleAt = item.lastSeq;
      else this.#chunksAt = item.lastSeq;
      walk.advance();
    }
  }

  #goesFirst(preamble: Item | undefined, chunk: Item | undefined): boolean {
    if (preamble === undefined || chunk === undefined) return preamble !== undefined;
    return preamble.seq <= this.#joined || preamble.seq < chunk.seq;
  }
}

/** Goes through a list. */
class Walk {
  item: Item | undefined;
  readonly #items: Iterator<Item>;

  constructor(list: ItemList, after: number) {
    this.#items = list.after(after)[Symbol.iterator]();
    this.advance();
  }

  advance(): void {
    const { done, value } = this.#items.next();
    this.item = done ? undefined : value;
  }
}
