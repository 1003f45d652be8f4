/**
 * How far a stream was received. Its messages are spread over the queues of many boxes, and the
 * position moves over a message only once all before it were received too.
 *
 * @module
 */

import { NatsSeen } from "./nats_seen.ts";

/** A message of the stream whose log messages are under way, or some in a row that were received. */
export interface UnderWay {
  /** Its number in the stream; that of the last one where these are some. */
  seq: number;
  /** How many of its log messages were not received yet; infinite while they are not all here. */
  left: number;
  /** The last number of a file that came with it. */
  last?: LastNumber;
  /** How many log messages it has, and of which recording they are. */
  count: number;
  /** How many of them an earlier run has kept, so that they are not received again. */
  kept?: number;
  recording?: string;
  /** Where these are some: what the fields above say of one. */
  merged?: { readonly counts: Map<string, number>; readonly seen: NatsSeen };
}

/** The messages of one source, in their order. */
interface Queue {
  readonly entries: UnderWay[];
  /** How many of the first ones were received. */
  head: number;
}

/** The number of a file's last message: of which recording, which file. */
export type LastNumber = readonly [key: string, file: string, number: number];

/** From so many entries on, those in a row that were received become one. */
const MERGED_FROM = 4096;

/** How many recordings and files may stand behind messages that are not whole. */
const MAX_BEHIND = 500_000;

/** Limits of what is under way. */
export interface ProgressLimits {
  /**
   * More log messages than this are never under way, unless nobody tells what was received: then what is
   * under way is forgotten, and the position stays where it is.
   */
  readonly maxMessages?: number;
  /** Called when that happens. */
  readonly onForsaken?: () => void;
  /** Called with each last number that the position moves over. */
  readonly onPassed?: (last: LastNumber) => void;
  /** Called when too much stands behind a message that is not whole. */
  readonly onTooMany?: () => void;
}

/** Counts what is under way, and moves the position. */
export class NatsProgress {
  /** In the order of the stream. */
  #entries: UnderWay[] = [];
  #head = 0;
  readonly #ofSource = new Map<number, Queue>();
  readonly #limits: ProgressLimits;
  #position: number;
  /** How many log messages went into queues and were not received. */
  #messages = 0;
  #isForsaken = false;
  #mergeAt = MERGED_FROM;

  /**
   * @param position the last message that need not come again
   * @param limits of what is under way, and who is told
   */
  constructor(position: number, limits: ProgressLimits = {}) {
    this.#position = position;
    this.#limits = limits;
  }

  /** The number up to which all was received. */
  get position(): number {
    return this.#position;
  }

  /** How many messages of the stream are under way. */
  get length(): number {
    return this.#entries.length - this.#head;
  }

  /**
   * How many log messages of each recording were received, or kept before, behind one that was not.
   */
  get beyond(): Map<string, number> {
    const counts = new Map<string, number>();
    for (let at = this.#head; at < this.#entries.length; at++) {
      addCounts(counts, this.#entries[at]!);
    }
    return counts;
  }

  /**
   * Takes note of a message that came; it holds the position until it is said to be {@linkcode
   * NatsProgress.sent}, or dropped.
   */
  came(seq: number): UnderWay {
    const entry: UnderWay = { seq, left: Infinity, count: 0 };
    if (!this.#isForsaken) this.#entries.push(entry);
    if (this.length >= this.#mergeAt) this.#merge();
    return entry;
  }

  /** Takes note that so many log messages of it went into the queue of a source. */
  sent(entry: UnderWay, source: number, count: number): void {
    entry.left = entry.count = count;
    if (count === 0) return this.#advance();
    if (this.#isForsaken) return;
    this.#messages += count;
    if (this.#messages > (this.#limits.maxMessages ?? Infinity)) return this.#forsake();
    const queue = this.#ofSource.get(source);
    if (queue === undefined) this.#ofSource.set(source, { entries: [entry], head: 0 });
    else queue.entries.push(entry);
  }

  /** Says that nothing of a message is wanted. */
  drop(entry: UnderWay): void {
    entry.left = 0;
    this.#advance();
  }

  /**
   * Begins anew with a new stream: what is under way of the one before moves the position no more.
   */
  restart(): void {
    this.#position = 0;
    for (const entry of this.#entries) entry.seq = 0;
  }

  /** Takes note that so many log messages of a source were received. */
  received(source: number, count: number): void {
    const queue = this.#ofSource.get(source);
    if (queue === undefined) return this.#advance();
    const { entries } = queue;
    for (let left = count; left > 0 && queue.head < entries.length;) {
      const first = entries[queue.head]!;
      const taken = Math.min(left, first.left);
      first.left -= taken;
      this.#messages -= taken;
      left -= taken;
      if (first.left === 0) queue.head++;
    }
    queue.head = withoutFront(entries, queue.head);
    if (entries.length === 0) this.#ofSource.delete(source);
    this.#advance();
  }

  #forsake(): void {
    this.#isForsaken = true;
    this.#entries = [];
    this.#head = 0;
    this.#ofSource.clear();
    this.#limits.onForsaken?.();
  }

  /**
   * Makes one entry of those in a row that were received: behind a message that does not get whole, as
   * that of a box which is off, they would become more and more.
   */
  #merge(): void {
    const all: UnderWay[] = [];
    for (let at = this.#head; at < this.#entries.length; at++) {
      const entry = this.#entries[at]!;
      const before = all.at(-1);
      if (entry.left > 0 || before === undefined || before.left > 0) all.push(entry);
      else join(before, entry);
    }
    this.#entries = all;
    this.#head = 0;
    this.#mergeAt = Math.max(MERGED_FROM, 2 * all.length);
    let behind = all.length;
    for (const { merged } of all) {
      if (merged !== undefined) behind += merged.counts.size + merged.seen.size;
    }
    if (behind > MAX_BEHIND) this.#limits.onTooMany?.();
  }

  #advance(): void {
    for (; this.#entries[this.#head]?.left === 0; this.#head++) {
      const { seq, last, merged } = this.#entries[this.#head]!;
      this.#position = seq;
      if (last !== undefined) this.#limits.onPassed?.(last);
      for (const one of merged?.seen.all() ?? []) this.#limits.onPassed?.(one);
    }
    this.#head = withoutFront(this.#entries, this.#head);
  }
}

/**
 * Cuts off the front of a list once that is half of it: to cut off one at a time costs as much each time as
 * the whole list is long, and tens of thousands may be under way.
 *
 * @returns how much of the front is left
 */
function withoutFront(entries: UnderWay[], front: number): number {
  if (2 * front < entries.length) return front;
  entries.splice(0, front);
  return 0;
}

/** Adds how many messages of each recording were received, or kept before. */
function addCounts(
  counts: Map<string, number>,
  { left, count, kept = 0, recording, merged }: UnderWay,
): void {
  const add = (recording: string, more: number) =>
    counts.set(recording, (counts.get(recording) ?? 0) + more);
  for (const [recording, count] of merged?.counts ?? []) add(recording, count);
  const received = kept + count - Math.min(left, count);
  if (recording !== undefined && received > 0) add(recording, received);
}

/** Adds an entry to the one before it, both received. */
function join(before: UnderWay, entry: UnderWay): void {
  before.merged ??= { counts: new Map(), seen: new NatsSeen() };
  const { counts, seen } = before.merged;
  before.seq = entry.seq;
  addCounts(counts, entry);
  for (const last of [before.last, entry.last]) if (last !== undefined) seen.note(...last);
  delete before.last;
  for (const last of entry.merged?.seen.all() ?? []) seen.note(...last);
}
