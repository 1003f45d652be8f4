/**
 * One viewer's place in the log. It holds no message, so that many viewers, slow ones too, cost no more
 * memory than the log has; what the log lets go of before it comes there, it skips.
 *
 * @module
 */
import type { Tally } from "../../base/tally.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import { Backfill, type Give } from "./backfill.ts";
import type { Item } from "./item.ts";
import type { ViewerLog } from "./viewer_log.ts";

/** How what is there already is given, before what comes later as it comes. */
export type Order = "viewer" | "kinds" | "arrival";

/** What is given before the rest, one after the other: what a list has of a kind, or only some of it. */
type Pass = readonly [
  list: "preamble" | "statics",
  has: (item: Item) => boolean,
  gives?: (item: Item) => boolean,
];

const PREAMBLE: Pass = ["preamble", () => true];
const STATICS: Pass = ["statics", () => true];
/** Without what newer data has taken the place of. */
const LATEST: Pass = ["statics", () => true, ({ isProtected }) => isProtected];
/** A viewer takes a blueprint as it is when it is activated: without its data, it shows no view. */
const OF_KINDS = ["SetStoreInfo", "ArrowMsg", "BlueprintActivationCommand"] as const;

/** The passes of an order by kind, with a pass for static data. */
function byKind(statics: Pass): readonly Pass[] {
  return [
    ...OF_KINDS.map((kind): Pass => ["preamble", (item) => kindOf(item) === kind]),
    statics,
    ["preamble", (item) => !OF_KINDS.some((kind) => kindOf(item) === kind)],
  ];
}

/** The passes of each order; what is left is given in the order of arrival. */
const PASSES: Readonly<Record<Order | "again", readonly Pass[]>> = {
  viewer: [PREAMBLE],
  kinds: byKind(STATICS),
  arrival: [],
  again: [PREAMBLE, LATEST],
};

/** What is looked through counts as so large a share of what is given. */
const LOOKED_SHARE = 1 / 16;

/** A place in the log. */
export class Cursor {
  readonly #log: ViewerLog;
  /** Nothing is given of what came until here. */
  readonly #start: number;
  #passes: readonly Pass[];
  /** What came until here is given in the passes, if one of them has it. */
  #sorted: number;
  /** Which pass is under way, and how far. */
  #pass = 0;
  #passAt: number;
  /** The last place that was given, or passed, in the order of arrival. */
  #at: number;
  /** Static data was missed; what is kept of such is given again. */
  #mustBeginAgain = false;
  /**
   * Bytes by which it must go on before it begins again: static data that comes quicker than a link
   * takes it may not be all that it gets.
   */
  #owed = 0;
  /** Where the newest comes first. */
  readonly #backfill: Backfill | undefined;

  /**
   * @param log where it goes through
   * @param order of what is there now; without it, nothing of that is given
   * @param isNewestFirst whether what explains the rest is followed by the live edge, and that by history
   * backwards
   */
  constructor(log: ViewerLog, order?: Order, isNewestFirst = false) {
    this.#log = log;
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
   * The place of the last message that was given, where all that comes next is in the order of arrival.
   */
  get place(): number | undefined {
    const isSorted = this.#passes.length === 0 || this.#at >= this.#sorted;
    const isFirst = this.#backfill !== undefined && this.#isInPasses;
    return isSorted && !isFirst && !this.#mustBeginAgain ? this.#at : undefined;
  }

  /** The last place that was given, or passed, in the order of arrival. */
  get at(): number {
    return this.#at;
  }

  /** Whether there is nothing to give now. */
  get isAtEnd(): boolean {
    return this.place === this.#log.lastSeq && (this.#backfill?.isDone ?? true);
  }

  /** Whether what comes next is older than what is at its place. */
  get isFilling(): boolean {
    return this.#backfill?.isNext(this.#at < this.#log.lastSeq) ?? false;
  }

  /** Whether there is nothing live to give, but what is older. */
  get hasOnlyPast(): boolean {
    return this.place === this.#log.lastSeq && !this.isAtEnd;
  }

  /**
   * Goes on behind a place.
   *
   * @param seq what is before it was given, or is never to be
   * @param given of that
   */
  moveTo(seq: number, given?: Tally): void {
    this.#at = seq;
    if (given !== undefined) this.#backfill?.gave(given.messages, given.bytes);
  }

  /**
   * Those of an item's messages that it was not given, and never will be once the item is gone.
   *
   * Where they are static data, it begins again with what explains chunks: what replaced them.
   *
   * @param item that the log lets go of
   * @returns the place of the first; `undefined` if there are none
   */
  miss(item: Item): number | undefined {
    if (this.#backfill?.owes(item)) return item.seq;
    if (item.lastSeq <= this.#at || this.#wasGiven(item)) return undefined;
    if (item.role === "static") this.#mustBeginAgain = true;
    return Math.max(this.#at + 1, item.seq);
  }

  /**
   * The next messages.
   *
   * @param maxBytes about how many, fewer where most are not wanted; a larger message comes alone
   * @param wants which of them
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
      // To look through what is of others takes time as well.
      return bytes + item.bytes * LOOKED_SHARE;
    }, end);
    return msgs;
  }

  /**
   * Goes on.
   *
   * @param maxBytes about how many; a larger message comes alone
   * @param give is given each item and the first place in it that was not given; returns the bytes
   * @param end what came after it is not given, but for what is with it in one item
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

  /** All that explains chunks is given again, and then the oldest kept. */
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

  /** What is left of static data comes later. */
  get #firstStatics(): Pass {
    return ["statics", () => true, (item) => this.#backfill!.isFirst(item)];
  }

  /** Whether one of the passes has it. */
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

/** Of what is kept as single messages. */
function kindOf(item: Item): LogMsg["kind"] | undefined {
  return item.from(item.seq)[0]?.kind;
}
