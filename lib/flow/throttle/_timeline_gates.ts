/**
 * The gates of a client's timelines, the least recently used forgotten.
 *
 * @module
 */
import type { StoreId } from "../../encoding/message_parts.ts";
import type { ThrottleRules } from "./accept_rate.ts";
import { TimelineGate } from "./timeline_gate.ts";

/**
 * How many timelines of one client are remembered, over all of its recordings. An SDK logs to one
 * or two recordings, with one or two timelines that decide; a client that fills all of these takes
 * 1.1 MB, 17 KB for each.
 */
export const MAX_TIMELINES = 64;

/**
 * Characters of all their names and recording ids together; peers may make these as long as they
 * like.
 */
const MAX_KEY_CHARS = 65_536;

/**
 * Names longer than this, in characters, are not kept for comparing them with those of the next
 * message.
 */
const MAX_LAST_CHARS = 1024;

/** Finds the gate of a recording's timeline. */
export class TimelineGates {
  readonly #rules: ThrottleRules;
  readonly #random: () => number;
  /** The least recently used one first. */
  readonly #gates = new Map<string, TimelineGate>();
  #keyChars = 0;
  #last:
    | { readonly storeId: StoreId; readonly timeline: string; readonly gate: TimelineGate }
    | undefined;

  /**
   * @param rules `"rerun"`: timelines of one name share a gate over all recordings
   * @param random from 0 up to 1
   */
  constructor(rules: ThrottleRules, random: () => number) {
    this.#rules = rules;
    this.#random = random;
  }

  /** How many timelines are remembered. */
  get size(): number {
    return this.#gates.size;
  }

  /** The gate of a timeline, a new one if it was forgotten. */
  get(storeId: StoreId, timeline: string): TimelineGate {
    const last = this.#last;
    if (last?.timeline === timeline && this.#isSame(last.storeId, storeId)) return last.gate;
    const key = this.#key(storeId, timeline);
    const known = this.#gates.get(key);
    const gate = known ?? this.#open();
    if (known === undefined) this.#keyChars += key.length;
    else this.#gates.delete(key);
    this.#gates.set(key, gate);
    // Long names are not kept for longer than their message.
    this.#last = key.length > MAX_LAST_CHARS ? undefined : { storeId, timeline, gate };
    if (known === undefined) this.#forget();
    return gate;
  }

  #open(): TimelineGate {
    return new TimelineGate(this.#rules, this.#rules === "rerun" ? 0 : 0.5 - this.#random());
  }

  #isSame(a: StoreId, b: StoreId): boolean {
    return this.#rules === "rerun" || a === b ||
      (a.id === b.id && a.kind === b.kind && a.applicationId === b.applicationId);
  }

  #key({ kind, id, applicationId }: StoreId, timeline: string): string {
    return this.#rules === "rerun" ? timeline : JSON.stringify([timeline, kind, id, applicationId]);
  }

  /**
   * Forgets the least recently used gates, but never the one that was just asked for, however long
   * its names are.
   */
  #forget(): void {
    for (const oldest of this.#gates.keys()) {
      if (this.#gates.size <= MAX_TIMELINES && this.#keyChars <= MAX_KEY_CHARS) return;
      if (this.#gates.size === 1) return;
      this.#gates.delete(oldest);
      this.#keyChars -= oldest.length;
    }
  }
}
