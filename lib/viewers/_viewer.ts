/**
 * One viewer: a place in the log that all of them share, and what it takes of it.
 *
 * ```text
 *  joined ──► first ──► behind ◄──► live        first:   what explains the rest, kind by kind
 *               ▲        │   ▲        │         behind:  there is more in the log
 *               └────────┘   │        ▼         live:    it was given the newest
 *        the log was trimmed └──── filling      filling: older ones, where it asked for the newest first;
 *        past static data                                larger static data also while it is behind
 *        it was not given
 *
 *  any of them ──► gone (left, stalled, closed, failed)
 * ```
 *
 * Who asks for the newest first is behind by what came after it joined, and all before is filled in
 * while it is live, backwards.
 *
 * Nothing waits for a viewer, and nothing is kept for one but what its socket has at the moment: where
 * the log was trimmed past its place it skips to the oldest kept, which is counted.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { addTo, newTally } from "../base/tally.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import type { LogFrames } from "./frames/log_frames.ts";
import type { Wire } from "./frames/wire.ts";
import { Cursor } from "./log/cursor.ts";
import { Held } from "./log/held.ts";
import type { Item } from "./log/item.ts";
import { Pace } from "./log/pace.ts";
import type { Recent } from "./log/recent.ts";
import { bytesOf, type ViewerLog } from "./log/viewer_log.ts";
import { Freshness, type FreshnessContext } from "./thin/freshness.ts";
import type { JoinOptions, SharedFrames, Viewer, ViewerGone, ViewerStats } from "./types.ts";

/** The form in which a viewer asks for messages. */
export type Form = "messages" | "frames";

/** What a viewer needs of the hub. */
export interface ViewerContext extends FreshnessContext {
  readonly log: ViewerLog;
  /** The newest messages, decoded, for all viewers. */
  readonly recent: Recent;
  readonly wire: Wire;
  /** Makes frames of older messages. */
  readonly frames: LogFrames;
  /** Whether a viewer of one recording gets this message. */
  readonly belongs: (msg: LogMsg, recording: string) => boolean;
  /**
   * Gives the place to which a viewer must skip before it takes more; `undefined` if it may go on.
   */
  readonly skipTo: (viewer: HubViewer) => number | undefined;
  readonly delay: Clock["delay"];
  readonly onSkip: (viewer: HubViewer) => void;
  readonly onGone: (viewer: HubViewer, reason: ViewerGone) => void;
}

/** A viewer skips unwanted messages for so long before others have their turn, in milliseconds. */
const TURN_MS = 10;

/** A viewer at the hub. */
export class HubViewer implements Viewer {
  readonly left: Promise<ViewerGone>;
  readonly #context: ViewerContext;
  readonly #cursor: Cursor;
  /** The last place that it is given. */
  readonly #end: number;
  readonly #sent = newTally();
  readonly #skipped = newTally();
  /** Set if it is to be kept fresh on a slow link. */
  readonly #freshness: Freshness | undefined;
  /** Paces history, if the newest comes first. */
  readonly #pace: Pace | undefined;
  #form: Form | undefined;
  #caughtUp = false;
  #isEnding = false;
  /** Whether it was logged that it skips. */
  #isTold = false;
  /** Whether a timer will rouse it after a pause. */
  #isTimed = false;
  #gone: ViewerGone | undefined;
  readonly #held: Held;
  readonly #leave: (reason: ViewerGone) => void;
  #wake: (() => void) | undefined;

  constructor(readonly id: number, readonly options: JoinOptions, context: ViewerContext) {
    this.#context = context;
    this.#held = new Held(context.log.memory);
    const { promise, resolve } = Promise.withResolvers<ViewerGone>();
    this.left = promise;
    this.#leave = resolve;
    const { history = "all", order = "viewer", until } = options;
    const isNewestFirst = history === "newest-first" && until === undefined;
    const given = history === "none" ? undefined : order;
    this.#cursor = new Cursor(context.log, given, isNewestFirst);
    if (isNewestFirst) this.#pace = new Pace(context.now());
    this.#end = until === "now" ? context.log.lastSeq : Infinity;
    if (history === "none") this.#caughtUp = true;
    const { latencySec = Infinity } = options;
    if (!(latencySec > 0)) throw new RangeError(`latencySec must be above 0, not ${latencySec}`);
    if (latencySec < Infinity) {
      this.#freshness = new Freshness(latencySec, context.log, context, this.#skipped);
    }
  }

  get gone(): ViewerGone | undefined {
    return this.#gone;
  }

  get caughtUp(): boolean {
    return this.#caughtUp;
  }

  get stats(): ViewerStats {
    const { at, joined, place } = this.#cursor;
    const { arrivals, log, now } = this.#context;
    const isBehind = this.#gone === undefined &&
      (this.#caughtUp || (this.options.history === "newest-first" && place !== undefined));
    return {
      id: this.id,
      transport: this.options.transport ?? "websocket",
      addr: this.options.addr,
      name: this.options.name,
      caughtUp: this.#caughtUp,
      backlog: isBehind ? log.after(place ?? at) : newTally(),
      sent: { ...this.#sent },
      skipped: { ...this.#skipped },
      ageSec: this.#end < Infinity ? 0 : arrivals.ageSec(Math.max(at, joined), now()),
      thinned: this.#freshness?.counts,
    };
  }

  /** Whether it is kept fresh, so that it must be noted which messages are heavy. */
  get isThinned(): boolean {
    return this.#freshness !== undefined;
  }

  /** The form in which it waits for messages. */
  get form(): Form | undefined {
    return this.#form === "frames" && !this.#getsAll ? "messages" : this.#form;
  }

  /** Its place, if it gets everything from there in the order of arrival. */
  get place(): number | undefined {
    return this.#cursor.place;
  }

  /** Its place in the order of arrival. */
  get at(): number {
    return this.#cursor.at;
  }

  sent(messages: number, bytes: number): void {
    addTo(this.#sent, { messages, bytes });
  }

  next(maxBytes: number): Promise<readonly LogMsg[] | undefined> {
    this.#form = "messages";
    this.#held.set([]);
    return this.#await(() => {
      const msgs = this.#take(maxBytes);
      if (msgs.length === 0) return undefined;
      this.#held.set(msgs);
      this.#pace?.gave(bytesOf(msgs), this.#context.now());
      return msgs;
    });
  }

  nextFrames(maxBytes: number): Promise<SharedFrames | undefined> {
    this.#form = "frames";
    return this.#await(() => {
      const frames = this.#takeFrames(maxBytes);
      if (frames.pieces.length === 0) return undefined;
      this.#pace?.gave(frames.bytes, this.#context.now());
      return frames;
    });
  }

  /** Called before the log drops an item. */
  miss(item: Item): void {
    if (item.seq > this.#end) return;
    const from = this.#cursor.miss(item);
    if (from === undefined) return;
    this.#skip(item, from);
  }

  /** Lets it take what is there, and then end. */
  end(): void {
    this.#isEnding = true;
    this.rouse();
  }

  close(reason: ViewerGone): void {
    if (this.#gone !== undefined) return;
    this.#gone = reason;
    this.#held.set([]);
    this.#context.onGone(this, reason);
    this.#leave(reason);
    this.rouse();
  }

  /** Called by the hub when there may be new messages for it. */
  rouse(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  async #await<T>(take: () => T | undefined): Promise<T | undefined> {
    const { now, delay } = this.#context;
    let sinceMs = now();
    this.#pace?.asks(sinceMs);
    while (this.#gone === undefined) {
      while (this.#gone === undefined && !this.#isAtEnd && this.#pauseMs === 0) {
        this.#goOn();
        const taken = take();
        if (this.#isAtEnd) this.#caughtUp = true;
        if (taken !== undefined) return taken;
        if (now() - sinceMs < TURN_MS) continue;
        await delay(0);
        sinceMs = now();
      }
      const pauseMs = this.#pauseMs;
      if (pauseMs === 0) this.#caughtUp = true;
      if (this.#isEnding || this.#end < Infinity) break;
      if (this.#wake !== undefined) {
        throw new TypeError("next() is called while another call waits");
      }
      const roused = new Promise<void>((resolve) => this.#wake = resolve);
      if (pauseMs > 0) void this.#rouseIn(pauseMs);
      await roused;
    }
    return undefined;
  }

  async #rouseIn(ms: number): Promise<void> {
    if (this.#isTimed) return;
    this.#isTimed = true;
    await this.#context.delay(ms);
    this.#isTimed = false;
    this.rouse();
  }

  get #isAtEnd(): boolean {
    return this.#cursor.isAtEnd || this.#cursor.at >= this.#end;
  }

  /** How long history is held back for live messages, in milliseconds. */
  get #pauseMs(): number {
    if (this.#isEnding || !this.#cursor.hasOnlyPast) return 0;
    return this.#pace?.pauseMs(this.#context.now()) ?? 0;
  }

  get #getsAll(): boolean {
    const { recording, accepts } = this.options;
    return recording === undefined && accepts === undefined && this.#end === Infinity;
  }

  /** Skips messages if viewers keep too much alive that the log would have dropped. */
  #goOn(): void {
    const to = this.#context.skipTo(this);
    if (to === undefined) return;
    for (const item of this.#context.log.items.after(this.#cursor.at)) {
      if (item.seq > to) break;
      const from = this.#cursor.miss(item);
      if (from !== undefined) this.#skip(item, from);
    }
    this.#cursor.moveTo(to);
  }

  #skip(item: Item, from: number): void {
    // Dropping the oldest of what is filled in is no news: only what is skipped later is logged.
    const isNext = item.lastSeq > this.#cursor.at;
    if (isNext) this.#freshness?.overtaken(item.before);
    if (!this.#isTold && isNext) {
      this.#isTold = true;
      this.#context.onSkip(this);
    }
    if (this.#getsAll && from <= item.seq) return addTo(this.#skipped, item);
    const msgs = item.from(from).filter((msg) => this.#wants(msg));
    addTo(this.#skipped, { messages: msgs.length, bytes: bytesOf(msgs) });
  }

  #take(maxBytes: number): readonly LogMsg[] {
    this.#freshness?.begin(this.#cursor.at);
    const wants = (msg: LogMsg, seq: number) => this.#gets(msg, seq);
    return this.#takeRecent(maxBytes) ?? this.#cursor.take(maxBytes, wants, this.#end);
  }

  /** Takes from the newest messages; gives `undefined` if what comes next is only in the log. */
  #takeRecent(maxBytes: number): LogMsg[] | undefined {
    const { place, isFilling } = this.#cursor;
    if (place === undefined || isFilling || this.#end < Infinity) return undefined;
    const entries = this.#context.recent.from(place + 1);
    if (entries === undefined) return undefined;
    const msgs: LogMsg[] = [];
    let bytes = 0;
    for (const { msg, seq, bytes: size } of entries) {
      if (bytes > 0 && bytes + size > maxBytes) break;
      const given = this.#gets(msg, seq) ? [msg] : [];
      msgs.push(...given);
      bytes += given.length * size;
      this.#cursor.moveTo(seq, { messages: given.length, bytes: given.length * size });
    }
    return msgs;
  }

  #takeFrames(maxBytes: number): SharedFrames {
    const { frames } = this.#context;
    const before = this.#cursor.at;
    if (!this.#getsAll || this.#freshness?.mustThin(before, maxBytes)) {
      const msgs = this.#take(maxBytes);
      return msgs.length === 0 ? NOTHING : frames.make(msgs);
    }
    const taken = this.#takeShared(maxBytes);
    this.#freshness?.gave(before, this.#cursor.at);
    return taken;
  }

  #takeShared(maxBytes: number): SharedFrames {
    const { wire, frames, log } = this.#context;
    const { place, isFilling } = this.#cursor;
    const live = place === undefined || isFilling ? undefined : wire.take(place, maxBytes);
    if (live !== undefined) {
      this.#cursor.moveTo(live.to, live.frames);
      return live.frames;
    }
    const items: [Item, number][] = [];
    this.#cursor.walk(maxBytes, (item, from) => {
      items.push([item, from]);
      return item.bytes;
    });
    return frames.of(items, (slab) => log.isOpen(slab));
  }

  /** Decides whether it gets the next message, and counts it if not. */
  #gets(msg: LogMsg, seq: number): boolean {
    return this.#wants(msg, this.options.onLeftOut) && (this.#freshness?.keeps(msg, seq) ?? true);
  }

  #wants(msg: LogMsg, onLeftOut?: () => void): boolean {
    const { recording, accepts } = this.options;
    if (recording !== undefined && !this.#context.belongs(msg, recording)) return false;
    if (accepts === undefined || accepts(msg)) return true;
    onLeftOut?.();
    return false;
  }
}

const NOTHING: SharedFrames = { pieces: [], messages: 0, bytes: 0, done: () => {} };
