/**
 * A late viewer's way through the history: it holds nothing, so what is dropped meanwhile it misses,
 * as whoever joins later does.
 *
 * @module
 */
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { History } from "./history.ts";
import { Entry, type Item } from "./item.ts";
import type { ItemList } from "./_item_list.ts";

/** What comes first of all in the order `"kinds"`, one after the other. */
const FIRST: readonly (readonly [list: "preamble" | "chunks", has: (item: Item) => boolean])[] = [
  ["preamble", (item) => kindOf(item) === "SetStoreInfo"],
  ["preamble", (item) => kindOf(item) === "BlueprintActivationCommand"],
  ["preamble", (item) => kindOf(item) === "ArrowMsg"],
  ["chunks", (item) => item instanceof Entry && item.staticKey !== undefined],
];

/** A place in the history. */
export class HistoryCursor {
  readonly #history: History;
  /** What came until here is given preamble first. */
  #joined: number;
  /** Until here, what is of the kinds that come first has its place there. */
  #sorted: number;
  /** Which of those kinds is given now, and how far. */
  #kind = 0;
  #kindAt = 0;
  #preambleAt = 0;
  #chunksAt = 0;

  /**
   * @param history where it goes through
   * @param order whether what explains chunks comes before all of them, and kind by kind
   */
  constructor(history: History, order: "viewer" | "kinds" | "arrival") {
    this.#history = history;
    this.#joined = order === "arrival" ? 0 : history.memory.lastSeq;
    this.#sorted = order === "kinds" ? this.#joined : 0;
  }

  /** The last place that was given, in the order of arrival. */
  get at(): number {
    return Math.max(this.#preambleAt, this.#chunksAt);
  }

  /** Goes on behind a place, in the order of arrival. */
  moveTo(seq: number): void {
    this.#joined = this.#sorted = 0;
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
    const first = this.#walkFirst(maxBytes, give);
    if (!first.isAtEnd) return false;
    let { bytes } = first;
    const preamble = this.#walkOf("preamble", this.#preambleAt);
    const chunks = this.#walkOf("chunks", this.#chunksAt);
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

  /** Gives what comes first, kind by kind. */
  #walkFirst(
    maxBytes: number,
    give: (item: Item, from: number) => number,
  ): { bytes: number; isAtEnd: boolean } {
    let bytes = 0;
    for (; this.#sorted > 0 && this.#kind < FIRST.length; this.#kind++, this.#kindAt = 0) {
      const [list, has] = FIRST[this.#kind]!;
      for (const item of this.#history[list].after(this.#kindAt)) {
        if (item.seq > this.#sorted) break;
        if (has(item)) {
          if (bytes > 0 && bytes + item.bytes > maxBytes) return { bytes, isAtEnd: false };
          bytes += give(item, item.seq);
        }
        this.#kindAt = item.lastSeq;
      }
    }
    return { bytes, isAtEnd: true };
  }

  /** All of a list but what came first. */
  #walkOf(list: "preamble" | "chunks", after: number): Walk {
    const sorted = this.#sorted;
    const isFirst = (item: Item) =>
      item.seq <= sorted && FIRST.some(([from, has]) => from === list && has(item));
    return new Walk(this.#history[list], after, isFirst);
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
  readonly #skips: (item: Item) => boolean;

  constructor(list: ItemList, after: number, skips: (item: Item) => boolean) {
    this.#items = list.after(after)[Symbol.iterator]();
    this.#skips = skips;
    this.advance();
  }

  advance(): void {
    do {
      const { done, value } = this.#items.next();
      this.item = done ? undefined : value;
    } while (this.item !== undefined && this.#skips(this.item));
  }
}

/** Of what is kept as single messages. */
function kindOf(item: Item): LogMsg["kind"] | undefined {
  return item.from(item.seq)[0]?.kind;
}
