/**
 * The newest messages, decoded: what viewers at the live edge are given, all of them the same.
 *
 * @module
 */
import type { LogMsg } from "../../encoding/log_msg.ts";
import { Entry } from "./item.ts";
import type { Memory } from "./memory.ts";

/** More is found in the log, where it must be decoded again. */
const MAX_BYTES = 8 * 1024 * 1024;
/** Small messages take more in objects than in bytes. */
const MAX_MESSAGES = 4096;

/** The last messages, at least one. */
export class Recent {
  #entries: Entry[] = [];
  /** Before it, they are let go of. */
  #first = 0;
  #bytes = 0;
  readonly #memory: Memory;
  readonly #maxBytes: number;

  /**
   * @param memory counts what they take
   * @param maxBytes of them
   */
  constructor(memory: Memory, maxBytes = MAX_BYTES) {
    this.#memory = memory;
    this.#maxBytes = Math.min(maxBytes, MAX_BYTES);
  }

  /**
   * Takes in what came next.
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

  /** Nobody is at the live edge. */
  clear(): void {
    while (this.#length > 0) this.#drop();
    this.#entries = [];
    this.#first = 0;
  }

  /** Whether it has all that came after a place. */
  covers(seq: number): boolean {
    const oldest = this.#entries[this.#first];
    return oldest !== undefined && oldest.seq <= seq + 1;
  }

  /** Those from a place on; `undefined` if some of them are here no more. */
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
