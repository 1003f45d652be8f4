/**
 * Keeps the slabs that were decoded last, for viewers that are behind are mostly at about the same
 * place.
 *
 * @module
 */
import type { LogMsg } from "../../encoding/log_msg.ts";

/** How many slabs are kept, of at most 288 KiB each. */
const MAX_SLABS = 16;

/** Decoded messages by slab. */
export class DecodedSlabs {
  readonly #decoded = new Map<object, readonly LogMsg[]>();

  /** Gives the decoded messages of a closed slab; calls `decode` if they are not kept. */
  get(slab: object, decode: () => readonly LogMsg[]): readonly LogMsg[] {
    const known = this.#decoded.get(slab) ?? decode();
    this.#decoded.delete(slab);
    this.#decoded.set(slab, known);
    if (this.#decoded.size > MAX_SLABS) this.#decoded.delete(this.#decoded.keys().next().value!);
    return known;
  }

  /** Forgets a slab that was dropped from the history. */
  forget(slab: object): void {
    this.#decoded.delete(slab);
  }
}
