/**
 * The slabs that were decoded last: viewers that are behind are so by about the same.
 *
 * @module
 */
import type { LogMsg } from "../../encoding/log_msg.ts";

/** Of at most 288 KiB each. */
const MAX_SLABS = 16;

/** Decoded messages by what they are kept in. */
export class DecodedSlabs {
  readonly #decoded = new Map<object, readonly LogMsg[]>();

  /** What was decoded of a slab that takes no more messages, or what `decode` makes of it. */
  get(slab: object, decode: () => readonly LogMsg[]): readonly LogMsg[] {
    const known = this.#decoded.get(slab) ?? decode();
    this.#decoded.delete(slab);
    this.#decoded.set(slab, known);
    if (this.#decoded.size > MAX_SLABS) this.#decoded.delete(this.#decoded.keys().next().value!);
    return known;
  }

  /** Forgets a slab that has gone out of the history. */
  forget(slab: object): void {
    this.#decoded.delete(slab);
  }
}
