/**
 * Keeps the newest messages decoded, for all viewers at the live edge.
 *
 * @module
 */
import type { LogMsg } from "../../encoding/log_msg.ts";
import { Entry } from "./item.ts";
import type { Memory } from "./memory.ts";

/** Bytes that are kept; older messages must be decoded from the log. */
const MAX_BYTES = 8 * 1024 * 1024;
/** How many messages are kept: small ones take more memory in objects than in bytes. */
const MAX_MESSAGES = 4096;

/** The newest messages, at least one. */
export class Recent {
  #entries: Entry[] = [];
  /** Index of the first message that is still kept. */
  #first = 0;
  #bytes = 0;
  readonly #memory: Memory;
  readonly #maxBytes: number;

  /**
   * @param memory counts their memory
   * @param maxBytes most bytes of the messages
   */
  constructor(memory: Memory, maxBytes = MAX_BYTES) {
    this.#memory = memory;
    this.#maxBytes = Math.min(maxBytes, MAX_BYTES);
  }

  /**
   * Adds the next messages.
   *
   * @param msgs in their order
   * @param seq place of the first
   */
  push(msgs: readonly LogMsg[], seq: number): void {
    for (const msg of msgs) {
      const entry = new Entry(msg, seq++, 0, this.#memory, "form").hold();
      this.#entries.push(entry);
      this.#bytes += entry.bytes;
    }
    while (this.#length > 1 && (this.#bytes > this.#maxBytes || this.#length > MAX_MESSAGES)) {
      this.#drop();
    }
    if (this.#first * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#first);
    this.#first = 0;
  }

  /** Drops all, when no viewer is at the live edge. */
  clear(): void {
    while (this.#length > 0) this.#drop();
    this.#entries = [];
    this.#first = 0;
  }

  /** Whether it has everything after a place. */
  covers(seq: number): boolean {
    const oldest = this.#entries[this.#first];
    return oldest !== undefined && oldest.seq <= seq + 1;
  }

  /** The messages from a place on; `undefined` if some of them are not kept any more. */
  from(seq: number): readonly Entry[] | undefined {
    if (!this.covers(seq - 1)) return undefined;
    return this.#entries.slice(this.#first + seq - this.#entries[this.#first]!.seq);
  }

  get #length(): number {
    return this.#entries.length - this.#first;
  }

  #drop(): void {
    const entry = this.#entries[this.#first++]!;
    this.#bytes -= entry.bytes;
    entry.release();
  }
}
