/**
 * One viewer's place in the log. It holds no messages, so that even many slow viewers take no more
 * memory than the log; it skips what the log drops before it comes there.
 *
 * @module
 */
import type { Tally } from "../../base/tally.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import { Backfill, type Give } from "./backfill.ts";
import type { Item } from "./item.ts";
import type { ViewerLog } from "./viewer_log.ts";

/** The order in which a viewer gets what is there when it joins. */
export type Order = "viewer" | "kinds" | "arrival";

/** A pass over a list: which items it gives, and which of these are still needed. */
type Pass = readonly [
  list: "preamble" | "statics",
  has: (item: Item) => boolean,
  gives?: (item: Item) => boolean,
];

const PREAMBLE: Pass = ["preamble", () => true];
const STATICS: Pass = ["statics", () => true];
/** The pass for static data, without what newer data has replaced. */
const LATEST: Pass = ["statics", () => true, ({ isProtected }) => isProtected];
/**
 * Kinds in the order in which they must come: a viewer uses a blueprint as it is when it is
 * activated, so its data must come before.
 */
const OF_KINDS = ["SetStoreInfo", "ArrowMsg", "BlueprintActivationCommand"] as const;

/** The passes of an order by kind, with a pass for static data. */
function byKind(statics: Pass): readonly Pass[] {
  return [
    ...OF_KINDS.map((kind): Pass => ["preamble", (item) => kindOf(item) === kind]),
    statics,
    ["preamble", (item) => !OF_KINDS.some((kind) => kindOf(item) === kind)],
  ];
}

/** The passes of each order; the rest is given in the order of arrival. */
const PASSES: Readonly<Record<Order | "again", readonly Pass[]>> = {
  viewer: [PREAMBLE],
  kinds: byKind(STATICS),
  arrival: [],
  again: [PREAMBLE, LATEST],
};

/** Bytes that are only looked through count as this share of bytes that are given. */
const LOOKED_SHARE = 1 / 16;

/** A place in the log. */
export class Cursor {
  /** Place of the newest message when it began: everything up to it is history. */
  readonly joined: number;
  readonly #log: ViewerLog;
  /** Nothing up to this place is given, unless a pass has it. */
  readonly #start: number;
  #passes: readonly Pass[];
  /** Up to this place, items of a pass are given in that pass. */
  #sorted: number;
  /** The pass under way, and the place in it. */
  #pass = 0;
  #passAt: number;
  /** The place, in the order of arrival, of the last message that was given or passed over. */
  #at: number;
  /** Set if static data was missed, so that all that is kept of it must be given again. */
  #mustBeginAgain = false;
  /**
   * Bytes that it must give before it begins again: otherwise a viewer would get nothing but static
   * data, if that comes faster than its link takes it.
   */
  #owed = 0;
  /** Set if the newest comes first. */
  readonly #backfill: Backfill | undefined;

  /**
   * @param log the log
   * @param order order of what is there now; left out, nothing of that is given
   * @param isNewestFirst whether the live edge comes right after what explains it, and history
   * comes backwards
   */
  constructor(log: ViewerLog, order?: Order, isNewestFirst = false) {
    this.#log = log;
    this.joined = log.lastSeq;
    this.#start = this.#at = this.#passAt = order === undefined ? log.lastSeq : 0;
    this.#passes = PASSES[order ?? "arrival"];
    this.#sorted = log.lastSeq;
    if (!isNewestFirst) return;
    log.seal();
    this.#backfill = new Backfill(log);
    this.#at = log.lastSeq;
    this.#passes = order === "kinds" ? byKind(this.#firstStatics) : [PREAMBLE, this.#firstStatics];
  }

  /**
   * The place of the last message that was given, if all that follows is in the order of arrival.
   */
  get place(): number | undefined {
    const isSorted = this.#passes.length === 0 || this.#at >= this.#sorted;
    const isFirst = this.#backfill !== undefined && this.#isInPasses;
    return isSorted && !isFirst && !this.#mustBeginAgain ? this.#at : undefined;
  }

  /** The place, in the order of arrival, of the last message that was given or passed over. */
  get at(): number {
    return this.#at;
  }

  /** Whether there is nothing to give now. */
  get isAtEnd(): boolean {
    return this.place === this.#log.lastSeq && (this.#backfill?.isDone ?? true);
  }

  /** Whether what comes next is older than its place. */
  get isFilling(): boolean {
    return this.#backfill?.isNext(this.#at < this.#log.lastSeq) ?? false;
  }

  /** Whether there is nothing live to give, but something older. */
  get hasOnlyPast(): boolean {
    return this.place === this.#log.lastSeq && !this.isAtEnd;
  }

  /**
   * Skips to a place.
   *
   * @param seq everything up to it was given, or never will be
   * @param given of that
   */
  moveTo(seq: number, given?: Tally): void {
    this.#at = seq;
    if (given !== undefined) this.#backfill?.gave(given.messages, given.bytes);
  }

  /**
   * Takes note that an item will be gone: gives the first of its messages that the viewer did not
   * get.
   *
   * If it is static data, all that explains chunks will be given again, including what replaced it.
   *
   * @param item the item that the log drops
   * @returns the place of the first; `undefined` if there are none
   */
  miss(item: Item): number | undefined {
    if (this.#backfill?.owes(item)) return item.seq;
    if (item.lastSeq <= this.#at || this.#wasGiven(item)) return undefined;
    if (item.role === "static") this.#mustBeginAgain = true;
    return Math.max(this.#at + 1, item.seq);
  }

  /**
   * Gives the next messages.
   *
   * @param maxBytes about how many, fewer where most are not wanted; a larger message comes alone
   * @param wants tells which messages are wanted
   * @param end the place of the last one
   */
  take(maxBytes: number, wants: (msg: LogMsg, seq: number) => boolean, end = Infinity): LogMsg[] {
    const msgs: LogMsg[] = [];
    this.walk(maxBytes, (item, from) => {
      let bytes = 0;
      const all = item.from(from);
      let seq = from;
      for (const msg of from + all.length - 1 > end ? all.slice(0, end - from + 1) : all) {
        if (!wants(msg, seq++)) continue;
        msgs.push(msg);
        bytes += msg.encoded.bytes.length;
      }
      // Looking through unwanted messages takes time as well.
      return bytes + item.bytes * LOOKED_SHARE;
    }, end);
    return msgs;
  }

  /**
   * Goes on.
   *
   * @param maxBytes about how many; a larger message comes alone
   * @param give called with each item and the first place in it that was not given; returns the
   * bytes
   * @param end nothing after it is given, except what is in the same item
   */
  walk(maxBytes: number, give: Give, end = Infinity): void {
    if (this.#mustBeginAgain && this.#owed <= 0 && !this.#isInPasses) this.#beginAgain();
    let bytes = 0;
    for (; this.#isInPasses; this.#pass++, this.#passAt = this.#start) {
      const [list, has, gives = has] = this.#passes[this.#pass]!;
      for (const item of this.#log[list].after(this.#passAt)) {
        if (item.seq > Math.min(this.#sorted, end)) break;
        if (has(item) && gives(item)) {
          if (bytes > 0 && bytes + item.bytes > maxBytes) return;
          bytes += give(item, item.seq);
          this.#owed += item.bytes;
        }
        this.#passAt = item.lastSeq;
      }
    }
    if (this.isFilling) {
      const isLive = this.#at < this.#log.lastSeq;
      if (!isLive) this.#owed = 0;
      if (bytes === 0) this.#backfill!.walk(maxBytes, give, isLive);
      return;
    }
    for (const item of this.#log.items.after(this.#at)) {
      if (item.seq > end) break;
      if (!this.#isOfPasses(item)) {
        if (bytes > 0 && bytes + item.bytes > maxBytes) return;
        const from = Math.max(this.#at + 1, item.seq);
        const given = give(item, from);
        bytes += given;
        this.#owed -= item.bytes;
        this.#backfill?.gave(item.lastSeq - from + 1, given);
      }
      this.#at = item.lastSeq;
    }
    this.#owed = 0;
    this.#at = Math.min(end, this.#log.lastSeq);
  }

  /** Gives all that explains chunks again, and goes on with the oldest that is kept. */
  #beginAgain(): void {
    this.#mustBeginAgain = false;
    this.#owed = 0;
    this.#passes = this.#backfill === undefined ? PASSES.again : [PREAMBLE, this.#firstStatics];
    this.#backfill?.explain(this.#at);
    this.#sorted = this.#log.lastSeq;
    this.#pass = 0;
    this.#passAt = this.#start;
  }

  get #isInPasses(): boolean {
    return this.#pass < this.#passes.length;
  }

  /** The pass for the static data that comes first. */
  get #firstStatics(): Pass {
    return ["statics", () => true, (item) => this.#backfill!.isFirst(item)];
  }

  /** Whether one of the passes gives this item. */
  #isOfPasses(item: Item): boolean {
    return item.seq <= this.#sorted && this.#passOf(item) >= 0;
  }

  #wasGiven(item: Item): boolean {
    if (!this.#isOfPasses(item)) return false;
    const pass = this.#passOf(item);
    return pass < this.#pass || (pass === this.#pass && item.seq <= this.#passAt);
  }

  #passOf(item: Item): number {
    const list = item.role === "static" ? "statics" : item.role;
    return this.#passes.findIndex(([of, has]) => of === list && has(item));
  }
}

/** The kind of an item that is a single message. */
function kindOf(item: Item): LogMsg["kind"] | undefined {
  return item.from(item.seq)[0]?.kind;
}
