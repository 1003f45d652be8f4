/**
 * Remembers which messages came or were sent lately, in memory that does not grow.
 *
 * @module
 */
import type { LogMsg } from "../encoding/log_msg.ts";
import { MessageKey, WORDS } from "./_message_key.ts";

/** How many messages share one place in the table. */
const WAYS = 8;
const PLACES = 2 ** 15;
/** Says of a message that this program sent it; the other bits are the number of a call. */
const SENT = 2 ** 31;
/** How many numbers of calls there are: from 1 to this, and over again. */
const CALLS = SENT - 1;

interface Table {
  /** The key of each message. */
  readonly keys: Uint32Array;
  /** Whether it was sent, and by which call it came. */
  readonly marks: Uint32Array;
  /** Which of the messages of a place is replaced next. */
  readonly next: Uint8Array;
}

/**
 * Remembers about the last 260,000 messages, in 5 MiB that are taken with the first one: chunks and
 * activations by their ids, announcements by what they say. Activations have an id once a Rerelay has
 * forwarded them; those of SDK 0.21 and before, which NATS carries as they are, go by what they say.
 *
 * A server asks it what of a call by which another Rerelay forwards came before. Given to `serve` and
 * to each `grpcTarget` and `natsTarget` of a program, it also knows what the program itself has sent:
 * servers that forward to each other would keep that twice, and send announcements round without end.
 *
 * @example
 * ```ts
 * import { KnownMessages, serve } from "@rerelay/server";
 * import { forwardTo, grpcTarget } from "@rerelay/server/forward";
 *
 * const known = new KnownMessages();
 * const server = await serve({ port: 0, known });
 * // Another server, which may forward to this one.
 * const forwarder = forwardTo(grpcTarget({ hostname: "10.0.0.5", port: 9876, known }));
 * await server.close();
 * await forwarder.close(AbortSignal.abort());
 * ```
 */
export class KnownMessages {
  #table: Table | undefined;
  #calls = 0;
  readonly #key = new MessageKey();

  /**
   * Takes note of a message that this program sends to another server.
   *
   * @param msg any message; one that can't be known again is passed over
   */
  sent(msg: LogMsg): void {
    if (!this.#key.look(msg)) return;
    const at = this.#find() ?? this.#put();
    this.#made.marks[at]! |= SENT;
  }

  /** Whether this program sent a message, as far as is remembered. */
  isSent(msg: LogMsg): boolean {
    if (this.#table === undefined || !this.#key.look(msg)) return false;
    const at = this.#find();
    return at !== undefined && this.#table.marks[at]! >= SENT;
  }

  /**
   * Begins a call by which messages come.
   *
   * @returns a number to be passed to `came` and `forget`
   *
   * @internal
   */
  beginCall(): number {
    return this.#calls = this.#calls % CALLS + 1;
  }

  /**
   * Takes note of a message that comes by a call.
   *
   * @param msg any message; a chunk without an id is always new
   * @param call the number of the call
   * @returns `undefined` if it is new; else the number of the call by which it came before, or 0 if this
   * program sent it without getting it from a call
   *
   * @internal
   */
  came(msg: LogMsg, call: number): number | undefined {
    if (!this.#key.look(msg)) return undefined;
    const before = this.#find();
    if (before !== undefined) return this.#made.marks[before]! % SENT;
    this.#made.marks[this.#put()] = call;
    return undefined;
  }

  /**
   * Forgets what came by a call, because some of it may not be kept and is to be taken again.
   *
   * @internal
   */
  forget(call: number): void {
    const { keys, marks } = this.#made;
    for (const mark of [call, SENT + call]) {
      for (let at = marks.indexOf(mark); at >= 0; at = marks.indexOf(mark, at + 1)) {
        keys.fill(0, WORDS * at, WORDS * (at + 1));
        marks[at] = 0;
      }
    }
  }

  /** Where the message is noted that was looked at last; `undefined` if it is not. */
  #find(): number | undefined {
    const { keys } = this.#made;
    const [a, b, c, d] = this.#key.words;
    const first = WAYS * this.#place;
    for (let at = first; at < first + WAYS; at++) {
      const word = WORDS * at;
      if (keys[word] !== a || keys[word + 1] !== b) continue;
      if (keys[word + 2] === c && keys[word + 3] === d) return at;
    }
    return undefined;
  }

  /** Takes note of the message that was looked at last; returns where. */
  #put(): number {
    const { keys, marks, next } = this.#made;
    const place = this.#place;
    const way = next[place]!;
    next[place] = (way + 1) % WAYS;
    const at = WAYS * place + way;
    keys.set(this.#key.words, WORDS * at);
    marks[at] = 0;
    return at;
  }

  get #place(): number {
    const [a, b, c, d] = this.#key.words;
    return (a! ^ a! >>> 17 ^ b! ^ c! ^ c! >>> 15 ^ d!) & PLACES - 1;
  }

  get #made(): Table {
    return this.#table ??= {
      keys: new Uint32Array(WORDS * WAYS * PLACES),
      marks: new Uint32Array(WAYS * PLACES),
      next: new Uint8Array(PLACES),
    };
  }
}
