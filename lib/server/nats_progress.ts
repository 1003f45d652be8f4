/**
 * How far a stream was received: what came of it is spread over the queues of many boxes, and the
 * position moves only over messages that all before them were received with.
 *
 * @module
 */

/** A message of the stream whose log messages are under way. */
export interface UnderWay {
  /** Its place in the stream. */
  seq: number;
  /** Log messages that were not received yet; infinite where they are not all here. */
  left: number;
  /** Says that it counts, once the position moves over it. */
  done?: () => void;
  /** How many log messages it has, and of which recording they are. */
  count: number;
  /** Those of it that an earlier run has kept, and that are not received again. */
  kept?: number;
  recording?: string;
}

/** Counts what is under way. */
export class NatsProgress {
  /** In the order of the stream. */
  #entries: UnderWay[] = [];
  #head = 0;
  readonly #ofSource = new Map<number, UnderWay[]>();
  #position: number;

  /** @param position the last message that need not come again */
  constructor(position: number) {
    this.#position = position;
  }

  /** All up to here was received. */
  get position(): number {
    return this.#position;
  }

  /** Messages of the stream that are under way. */
  get length(): number {
    return this.#entries.length - this.#head;
  }

  /** Log messages of each recording that were received, or kept before, behind one that was not. */
  get beyond(): Map<string, number> {
    const counts = new Map<string, number>();
    for (let at = this.#head; at < this.#entries.length; at++) {
      const { left, count, kept = 0, recording } = this.#entries[at]!;
      const received = kept + count - Math.min(left, count);
      if (recording === undefined || received === 0) continue;
      counts.set(recording, (counts.get(recording) ?? 0) + received);
    }
    return counts;
  }

  /** A message came; it holds the position until {@linkcode NatsProgress.sent} or `drop`. */
  came(seq: number): UnderWay {
    const entry: UnderWay = { seq, left: Infinity, count: 0 };
    this.#entries.push(entry);
    return entry;
  }

  /** Its log messages, so many, went into the queue of a source. */
  sent(entry: UnderWay, source: number, count: number): void {
    entry.left = entry.count = count;
    if (count === 0) return this.#advance();
    const queue = this.#ofSource.get(source);
    if (queue === undefined) this.#ofSource.set(source, [entry]);
    else queue.push(entry);
  }

  /** Nothing of it is wanted. */
  drop(entry: UnderWay): void {
    entry.left = 0;
    this.#advance();
  }

  /** The stream begins anew: what is under way of the one before moves the position no more. */
  restart(): void {
    this.#position = 0;
    for (const entry of this.#entries) entry.seq = 0;
  }

  /** So many log messages of a source were received. */
  received(source: number, count: number): void {
    const queue = this.#ofSource.get(source);
    let left = count;
    while (left > 0 && queue?.[0] !== undefined) {
      const taken = Math.min(left, queue[0].left);
      queue[0].left -= taken;
      left -= taken;
      if (queue[0].left === 0) queue.shift();
    }
    if (queue?.length === 0) this.#ofSource.delete(source);
    this.#advance();
  }

  #advance(): void {
    for (; this.#entries[this.#head]?.left === 0; this.#head++) {
      const { seq, done } = this.#entries[this.#head]!;
      this.#position = seq;
      done?.();
    }
    // Now and then, so that a long list stays cheap.
    if (this.#head === this.#entries.length || this.#head > 1024) {
      this.#entries.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
