/**
 * How far a stream was received. Its messages are spread over the queues of many boxes, and the
 * position moves over a message only once all before it were received too.
 *
 * @module
 */

/** A message of the stream whose log messages are under way. */
export interface UnderWay {
  /** Its number in the stream. */
  seq: number;
  /** How many of its log messages were not received yet; infinite while they are not all here. */
  left: number;
  /** Called once the position moves over it. */
  done?: () => void;
  /** How many log messages it has, and of which recording they are. */
  count: number;
  /** How many of them an earlier run has kept, so that they are not received again. */
  kept?: number;
  recording?: string;
}

/** Counts what is under way, and moves the position. */
export class NatsProgress {
  /** In the order of the stream. */
  #entries: UnderWay[] = [];
  #head = 0;
  readonly #ofSource = new Map<number, UnderWay[]>();
  readonly #maxMessages: number;
  readonly #onForsaken: () => void;
  #position: number;
  /** How many log messages went into queues and were not received. */
  #messages = 0;
  #isForsaken = false;

  /**
   * @param position the last message that need not come again
   * @param maxMessages more log messages than this are never under way, unless nobody tells what was
   * received: then what is under way is forgotten, and the position stays where it is
   * @param onForsaken called when that happens
   */
  constructor(
    position: number,
    maxMessages: number = Infinity,
    onForsaken: () => void = () => {},
  ) {
    this.#position = position;
    this.#maxMessages = maxMessages;
    this.#onForsaken = onForsaken;
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
      const { left, count, kept = 0, recording } = this.#entries[at]!;
      const received = kept + count - Math.min(left, count);
      if (recording === undefined || received === 0) continue;
      counts.set(recording, (counts.get(recording) ?? 0) + received);
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
    return entry;
  }

  /** Takes note that so many log messages of it went into the queue of a source. */
  sent(entry: UnderWay, source: number, count: number): void {
    entry.left = entry.count = count;
    if (count === 0) return this.#advance();
    if (this.#isForsaken) return;
    this.#messages += count;
    if (this.#messages > this.#maxMessages) return this.#forsake();
    const queue = this.#ofSource.get(source);
    if (queue === undefined) this.#ofSource.set(source, [entry]);
    else queue.push(entry);
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
    let left = count;
    while (left > 0 && queue?.[0] !== undefined) {
      const taken = Math.min(left, queue[0].left);
      queue[0].left -= taken;
      this.#messages -= taken;
      left -= taken;
      if (queue[0].left === 0) queue.shift();
    }
    if (queue?.length === 0) this.#ofSource.delete(source);
    this.#advance();
  }

  #forsake(): void {
    this.#isForsaken = true;
    this.#entries = [];
    this.#head = 0;
    this.#ofSource.clear();
    this.#onForsaken();
  }

  #advance(): void {
    for (; this.#entries[this.#head]?.left === 0; this.#head++) {
      const { seq, done } = this.#entries[this.#head]!;
      this.#position = seq;
      done?.();
    }
    // Only now and then, for cutting the front off a long list is costly.
    if (this.#head === this.#entries.length || this.#head > 1024) {
      this.#entries.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
