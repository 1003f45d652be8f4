/**
 * What a viewer that asked for the newest first is given in the room that the live edge leaves: static
 * data that is much, and the history backwards.
 *
 * @module
 */
import type { Item } from "./item.ts";
import type { ViewerLog } from "./viewer_log.ts";

/** So much static data comes before anything else, in bytes: the smallest of it. */
const FIRST_STATIC_BYTES = 1024 * 1024;
/** A message above this may be a picture, … */
const PICTURE_BYTES = 16 * 1024;
/** … and where there is none, so many bytes have shown what there is. */
const SHOWN_BYTES = 1024 * 1024;

/** Is given an item of the log and the first place in it; returns the bytes that were taken. */
export type Give = (item: Item, from: number) => number;

/** One viewer's place in what came before it. */
export class Backfill {
  readonly #log: ViewerLog;
  /** What came before this place is yet to be given. */
  #back: number;
  /** Static data up to this size comes first, … */
  #firstBytes = 0;
  /** … and larger one that came after this place and up to that one, later. */
  #late = { at: 0, to: 0 };
  /** Given since larger static data is to come, of it and of all else. */
  #given = { late: 0, others: 0 };
  #hasShown = false;

  /**
   * @param log where all of it is; nothing may be added to its items any more
   */
  constructor(log: ViewerLog) {
    this.#log = log;
    this.#back = log.lastSeq + 1;
    this.explain(0);
  }

  /** Whether all was given. */
  get isDone(): boolean {
    return !this.#hasLate && !this.#hasPast;
  }

  /**
   * Static data is to be given, as it is now.
   *
   * @param after what came until this place was given, but for what is still to come
   */
  explain(after: number): void {
    this.#late = { at: this.#hasLate ? this.#late.at : after, to: this.#log.lastSeq };
    this.#given = { late: 0, others: 0 };
    this.#firstBytes = sizeOfFirst(this.#log);
    this.#skip();
  }

  /** Whether static data comes before all else. */
  isFirst(item: Item): boolean {
    return item.isProtected && item.bytes <= this.#firstBytes;
  }

  /** Whether this is still to be given. */
  owes(item: Item): boolean {
    if (item.role === "chunk") return item.seq < this.#back;
    return item.role === "static" && this.#isLate(item);
  }

  /**
   * Whether the next is of this, and not of the live edge: larger static data has at most half of a link
   * that is full.
   *
   * @param isLive whether there is something live
   */
  isNext(isLive: boolean): boolean {
    return isLive ? this.#isLateDue : !this.isDone;
  }

  /** Told of what was given from the live edge. */
  gave(messages: number, bytes: number): void {
    this.#given.others += bytes;
    const isPicture = messages > 0 && bytes / messages > PICTURE_BYTES;
    if (isPicture || this.#given.others >= SHOWN_BYTES) this.#hasShown = true;
  }

  /**
   * Goes on.
   *
   * @param maxBytes about how many; a larger message comes alone
   * @param give is given each item
   * @param isLive whether there is something live
   */
  walk(maxBytes: number, give: Give, isLive: boolean): void {
    const isLate = this.#hasLate && (this.#hasShown || !this.#hasPast);
    if (isLate && (!isLive || this.#isLateDue)) this.#walkLate(maxBytes, give);
    else this.#walkBack(maxBytes, give);
  }

  get #hasLate(): boolean {
    return this.#late.at < this.#late.to;
  }

  get #hasPast(): boolean {
    return this.#back > 1;
  }

  get #isLateDue(): boolean {
    return this.#hasLate && this.#hasShown && this.#given.late <= this.#given.others;
  }

  #isLate(item: Item): boolean {
    const { at, to } = this.#late;
    return item.seq > at && item.seq <= to && item.isProtected && !this.isFirst(item);
  }

  #walkLate(maxBytes: number, give: Give): void {
    let bytes = 0;
    for (const item of this.#log.statics.after(this.#late.at)) {
      if (item.seq > this.#late.to) break;
      if (this.#isLate(item)) {
        if (bytes > 0 && bytes + item.bytes > maxBytes) return;
        bytes += give(item, item.seq);
        this.#given.late += item.bytes;
      }
      this.#late.at = item.seq;
    }
    this.#late.at = this.#late.to;
  }

  /** Each item as it came: its messages are older ones first. */
  #walkBack(maxBytes: number, give: Give): void {
    let bytes = 0;
    for (const item of this.#log.items.before(this.#back)) {
      if (item.role === "chunk") {
        if (bytes > 0 && bytes + item.bytes > maxBytes) return;
        const given = give(item, item.seq);
        bytes += given;
        this.gave(item.messages, given);
      }
      this.#back = item.seq;
      // What a picture is followed by is not to be waited for.
      if (this.#hasLate && this.#hasShown) return;
    }
    this.#back = 1;
  }

  /** There may be none that is larger. */
  #skip(): void {
    for (const item of this.#log.statics.after(0)) if (this.#isLate(item)) return;
    this.#late.at = this.#late.to;
  }
}

/** Up to which size the smallest static data is as much as may come first. */
function sizeOfFirst({ statics, protected: spared }: ViewerLog): number {
  if (spared.bytes <= FIRST_STATIC_BYTES) return Infinity;
  const sizes = Array.from(statics.after(0)).filter(({ isProtected }) => isProtected)
    .map(({ bytes }) => bytes).sort((a, b) => a - b);
  let sum = 0;
  const over = sizes.findIndex((size) => (sum += size) > FIRST_STATIC_BYTES);
  if (over < 0) return Infinity;
  // All of one size come together.
  return sizes[over]! - 1;
}
