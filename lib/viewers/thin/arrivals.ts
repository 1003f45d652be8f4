/**
 * Remembers when messages came, and which of the newest are heavy, once for all viewers.
 *
 * @module
 */
import type { LogMsg } from "../../encoding/log_msg.ts";
import { frameOf, isHeavy, isTimed } from "./frame_of.ts";

/** A heavy message of the log. */
export interface Heavy {
  readonly seq: number;
  readonly bytes: number;
  /** When it came, in monotonic milliseconds. */
  readonly atMs: number;
  /** Key of its frame. */
  readonly frame: string;
}

/** Messages closer together than this, in milliseconds, share one time. */
const STEP_MS = 10;
/** When there are so many times, every other one of the older half is forgotten. */
const MAX_TIMES = 8192;

/** The times of messages, and the heavy ones among them. */
export class Arrivals {
  /** The first message of each step, and when it came. */
  #times: { readonly seq: number; readonly atMs: number }[] = [];
  /** In the order of their places. */
  #heavy: Heavy[] = [];
  /** Place of the newest message. */
  #last = 0;

  /**
   * Notes messages that came.
   *
   * @param msgs in order
   * @param seq the place of the first
   * @param atMs when they came, in monotonic milliseconds
   * @param notesHeavy whether heavy ones are noted: only viewers that are kept fresh need them
   */
  push(msgs: readonly LogMsg[], seq: number, atMs: number, notesHeavy = true): void {
    if (msgs.length === 0) return;
    const last = this.#times.at(-1);
    if (last === undefined || atMs - last.atMs >= STEP_MS) this.#times.push({ seq, atMs });
    if (this.#times.length > MAX_TIMES) this.#thin();
    this.#last = seq + msgs.length - 1;
    if (!notesHeavy) {
      this.#heavy = [];
      return;
    }
    for (const msg of msgs) {
      if (isHeavy(msg) && isTimed(msg)) {
        const { length: bytes } = msg.encoded.bytes;
        this.#heavy.push({ seq, bytes, atMs, frame: frameOf(msg) ?? `alone ${seq}` });
      }
      seq++;
    }
  }

  /** Forgets what is before a place. */
  trim(seq: number): void {
    const gone = indexAfter(this.#heavy, seq - 1);
    if (gone > 64 && gone * 2 > this.#heavy.length) this.#heavy = this.#heavy.slice(gone);
    const at = indexAfter(this.#times, seq) - 1;
    if (at > MAX_TIMES / 4) this.#times = this.#times.slice(at);
  }

  /** Forgets all, when nobody needs it. */
  clear(): void {
    this.#times = [];
    this.#heavy = [];
  }

  /** The heavy message at a place; `undefined` if it is not heavy. */
  heavy(seq: number): Heavy | undefined {
    const found = this.#heavy[indexAfter(this.#heavy, seq - 1)];
    return found?.seq === seq ? found : undefined;
  }

  /** The heavy messages that came after a place. */
  *after(seq: number): Iterable<Heavy> {
    for (let i = indexAfter(this.#heavy, seq); i < this.#heavy.length; i++) yield this.#heavy[i]!;
  }

  /**
   * When a message came, in monotonic milliseconds, exact to a step; `undefined` for messages
   * before all that is noted, and for future ones.
   */
  timeOf(seq: number): number | undefined {
    if (seq > this.#last) return undefined;
    return this.#times[indexAfter(this.#times, seq) - 1]?.atMs;
  }

  /**
   * Age in seconds of the oldest message after a place; 0 if there is none.
   *
   * @param at the place
   * @param nowMs monotonic milliseconds
   */
  ageSec(at: number, nowMs: number): number {
    const atMs = this.timeOf(at + 1);
    return atMs === undefined ? 0 : Math.max(0, nowMs - atMs) / 1000;
  }

  #thin(): void {
    this.#times = this.#times.filter((_, i) => i >= MAX_TIMES / 2 || i % 2 === 0);
  }
}

/** Index of the first one that came after a place. */
function indexAfter(all: readonly { readonly seq: number }[], seq: number): number {
  let low = 0;
  let high = all.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (all[middle]!.seq <= seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
