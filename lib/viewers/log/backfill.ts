/**
 * What a viewer that asked for the newest first gets when the live edge leaves room: large static
 * data, and the history backwards.
 *
 * @module
 */
import type { Item } from "./item.ts";
import type { ViewerLog } from "./viewer_log.ts";

/** Bytes of static data that come before anything else, beginning with the smallest. */
const FIRST_STATIC_BYTES = 1024 * 1024;
/** A longer message, in bytes, may be a picture. */
const PICTURE_BYTES = 16 * 1024;
/** After so many bytes a viewer has enough to show, even if no picture was among them. */
const SHOWN_BYTES = 1024 * 1024;

/** Called with an item of the log and the first place in it; returns the bytes that were taken. */
export type Give = (item: Item, from: number) => number;

/** One viewer's place in what came before it joined. */
export class Backfill {
  readonly #log: ViewerLog;
  /** What came before this place is still to be given. */
  #back: number;
  /** Static data up to this size comes before everything else. */
  #firstBytes = 0;
  /** Larger static data whose place is behind `at`, up to `to`, is still to be given. */
  #late = { at: 0, to: 0 };
  /** Bytes given since larger static data waits: of that data, and of everything else. */
  #given = { late: 0, others: 0 };
  #hasShown = false;

  /** @param log the log, to whose items nothing may be added any more */
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
   * Begins to give static data, as it is now.
   *
   * @param after everything up to this place was given, except what is still to be filled in
   */
  explain(after: number): void {
    this.#late = { at: this.#hasLate ? this.#late.at : after, to: this.#log.lastSeq };
    this.#given = { late: 0, others: 0 };
    this.#firstBytes = sizeOfFirst(this.#log);
    this.#skip();
  }

  /** Whether this static data comes before everything else. */
  isFirst(item: Item): boolean {
    return item.isProtected && item.bytes <= this.#firstBytes;
  }

  /** Whether this item is still to be given. */
  owes(item: Item): boolean {
    if (item.role === "chunk") return item.seq < this.#back;
    return item.role === "static" && this.#isLate(item);
  }

  /**
   * Whether the backfill is next, and not the live edge: larger static data gets at most half of a
   * full link.
   *
   * @param isLive whether there is something live
   */
  isNext(isLive: boolean): boolean {
    return isLive ? this.#isLateDue : !this.isDone;
  }

  /** Takes note of what was given from the live edge. */
  gave(messages: number, bytes: number): void {
    this.#given.others += bytes;
    const isPicture = messages > 0 && bytes / messages > PICTURE_BYTES;
    if (isPicture || this.#given.others >= SHOWN_BYTES) this.#hasShown = true;
  }

  /**
   * Gives the next items.
   *
   * @param maxBytes about how many; a larger message comes alone
   * @param give called with each item
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

  /** Gives items backwards; inside an item older messages come first. */
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
      // Once a picture was shown, larger static data must not wait for more history.
      if (this.#hasLate && this.#hasShown) return;
    }
    this.#back = 1;
  }

  /** Skips static data that is gone or was given. */
  #skip(): void {
    for (const item of this.#log.statics.after(0)) if (this.#isLate(item)) return;
    this.#late.at = this.#late.to;
  }
}

/** The size up to which static data comes first. */
function sizeOfFirst({ statics, protected: spared }: ViewerLog): number {
  if (spared.bytes <= FIRST_STATIC_BYTES) return Infinity;
  const sizes = Array.from(statics.after(0)).filter(({ isProtected }) => isProtected)
    .map(({ bytes }) => bytes).sort((a, b) => a - b);
  let sum = 0;
  const over = sizes.findIndex((size) => (sum += size) > FIRST_STATIC_BYTES);
  if (over < 0) return Infinity;
  // Items of the same size stay together.
  return sizes[over]! - 1;
}
