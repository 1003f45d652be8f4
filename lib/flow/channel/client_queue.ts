import type { LogMsg } from "../../encoding/log_msg.ts";
import type { MessageSource, SmartMessage } from "./smart_message.ts";

/** Messages that were sent at once. */
export interface Entry {
  readonly msgs: readonly LogMsg[];
  /** The client's last word, after the messages. */
  readonly quit?: { readonly error?: Error };
  readonly time: number;
  /** The buffers that its messages keep alive. */
  readonly buffers: readonly ArrayBufferLike[];
  /** Number of the entry among all entries of the channel. */
  readonly order: number;
}

/** What a channel keeps for one client: its messages, first in, first out, and what it waits for. */
export class ClientQueue {
  /** Bytes that its waiting messages keep alive. */
  bytes = 0;
  /** Bytes of room that the client was promised. */
  promised = 0;
  /** Lets the client go on, while it is paused. */
  resume: (() => void) | undefined;
  /** What the message that was received last had waited, in milliseconds. */
  lastLatencyMs = 0;
  #entries: (Entry | undefined)[] = [];
  #head = 0;
  /** How many messages of the first entry were taken already. */
  #taken = 0;

  /** @param source whose messages these are */
  constructor(readonly source: MessageSource) {}

  /** The entry whose messages are next. */
  get first(): Entry | undefined {
    return this.#entries[this.#head];
  }

  /**
   * How far the receiver is behind with this client, in seconds.
   *
   * @param now the time, in milliseconds
   */
  latencySec(now: number): number {
    const { first } = this;
    return first === undefined ? 0 : Math.max(now - first.time, this.lastLatencyMs) / 1000;
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
  }

  /**
   * Takes messages from the first entry.
   *
   * @param into where they are added
   * @param limit how many at most
   * @param budget bytes after which no other message follows
   * @returns the bytes of the messages, and the entry if it is used up
   */
  take(
    into: SmartMessage[],
    limit: number,
    budget: number,
  ): { bytes: number; emptied: Entry | undefined } {
    const entry = this.#entries[this.#head]!;
    const { source } = this;
    const { msgs, quit, time } = entry;
    const end = Math.min(msgs.length, this.#taken + limit);
    let bytes = 0;
    let at = this.#taken;
    for (; at < end && bytes < budget; at++) {
      const msg = msgs[at]!;
      bytes += msg.encoded.bytes.length;
      into.push({ source, payload: { type: "msg", msg }, time });
    }
    if (quit !== undefined && at === msgs.length && at < this.#taken + limit && bytes < budget) {
      into.push({ source, payload: { type: "quit", ...quit }, time });
      at++;
    }
    this.#taken = at;
    if (at < msgs.length + (quit === undefined ? 0 : 1)) return { bytes, emptied: undefined };
    this.#taken = 0;
    // An entry that stayed here would keep its messages alive.
    this.#entries[this.#head++] = undefined;
    // Only now and then, for cutting the front off a long list is costly.
    if (this.#head > 1024 || this.#head === this.#entries.length) {
      this.#entries.splice(0, this.#head);
      this.#head = 0;
    }
    return { bytes, emptied: entry };
  }
}
