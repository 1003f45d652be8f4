/** Rates, computed from counts that are asked for every second or so. */

/** Remembers a count of each key, and says how fast it grows. */
export class Rates {
  /** @type {Map<string | number, { at: number, values: number[] }>} */
  #last = new Map();

  /**
   * How much each value grew per second since the last time; 0 at first.
   *
   * @param {string | number} key
   * @param {number} at milliseconds
   * @param {number[]} values
   */
  next(key, at, values) {
    const last = this.#last.get(key);
    this.#last.set(key, { at, values });
    if (last === undefined || at <= last.at) return values.map(() => 0);
    const seconds = (at - last.at) / 1000;
    return values.map((value, i) => Math.max(0, value - (last.values[i] ?? 0)) / seconds);
  }

  /** @param {Iterable<string | number>} keys still needed; the others are forgotten */
  keep(keys) {
    const kept = new Set(keys);
    for (const key of this.#last.keys()) if (!kept.has(key)) this.#last.delete(key);
  }
}
