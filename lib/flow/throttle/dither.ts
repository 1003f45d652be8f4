/**
 * Spreads accepted frames evenly over all frames.
 *
 * @module
 */
import type { ThrottleRules } from "./accept_rate.ts";

const f32 = Math.fround;

/**
 * Decides frame after frame, so that the accepted share comes out as the accept rate (error diffusion).
 *
 * The Rerun server does not add the rate when it accepts, so that it accepts r/(1+r) instead of r:
 * half of the frames at 0.99. `rules: "rerun"` does the same.
 */
export class Dither {
  readonly #rules: ThrottleRules;
  #due: number;

  /**
   * Begins without any frame so far.
   *
   * @param rules whether to accept r of the frames, or r/(1+r) as the Rerun server does
   * @param due what has built up so far, above −0.5 up to 0.5: chosen by chance it makes the share come
   * out right over many timelines of a few frames each too
   */
  constructor(rules: ThrottleRules, due = 0) {
    this.#rules = rules;
    this.#due = f32(due);
  }

  /**
   * Whether the next frame is accepted.
   *
   * @param acceptRate the share to accept, 0 to 1
   */
  next(acceptRate: number): boolean {
    if (this.#rules === "rerun") {
      const accept = this.#due > 0.5;
      this.#due = f32(accept ? this.#due - 1 : this.#due + acceptRate);
      return accept;
    }
    this.#due = f32(this.#due + acceptRate);
    const accept = this.#due > 0.5;
    if (accept) this.#due = f32(this.#due - 1);
    return accept;
  }
}
