/**
 * The newest messages, decoded: what viewers at the live edge are given, all of them the same.
 *
 * @module
 */
import type { LogMsg } from "../../encoding/log_msg.ts";
import { Entry, type Memory } from "./item.ts";

/** More is found in the history, where it must be decoded again. */
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

  /** @param memory counts what they take */
  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /**
   * Takes in what came next.
   *
   * @param msgs in their order
   * @param seq place of the first
   */
  push(msgs: readonly LogMsg[], seq: number): void {
    for (const msg of msgs) {
      const entry = new Entry(msg, seq++, this.#memory);
      entry.hold();
      this.#entries.push(entry);
      this.#bytes += entry.bytes;
    }
    while (this.#length > 1 && (this.#bytes > MAX_BYTES || this.#length > MAX_MESSAGES)) {
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

  /** Those from a place on; `undefined` if some of them are here no more. */
  from(seq: number): readonly Entry[] | undefined {
    const oldest = this.#entries[this.#first];
    if (oldest === undefined || oldest.seq > seq) return undefined;
    return this.#entries.slice(this.#first + seq - oldest.seq);
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
