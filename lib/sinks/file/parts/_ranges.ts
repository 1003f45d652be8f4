/**
 * A set of numbers that come in runs.
 *
 * @module
 */

/** How many runs of one file are noted; messages behind them count as logged. */
const MAX_RUNS = 100_000;

/** A set of numbers, which are added from lower to higher. */
export class Ranges {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  /** The runs, each as its first number and how many. */
  get runs(): (readonly [at: number, count: number])[] {
    return this.#starts.map((start, i) => [start, this.#ends[i]! - start]);
  }

  /** Adds a run; what was added from its first number on is taken out. */
  add(at: number, count: number): void {
    const [starts, ends] = [this.#starts, this.#ends];
    while (starts.length > 0 && starts.at(-1)! >= at) {
      starts.pop();
      ends.pop();
    }
    const last = ends.length - 1;
    if (last >= 0 && ends[last]! > at) ends[last] = at;
    if (count === 0) return;
    if (last >= 0 && ends[last] === at) ends[last] = at + count;
    else if (starts.length < MAX_RUNS) {
      starts.push(at);
      ends.push(at + count);
    }
  }

  /** How many numbers of it are below one. */
  below(number: number): number {
    return this.runs.reduce(
      (sum, [at, count]) => sum + Math.min(count, Math.max(0, number - at)),
      0,
    );
  }

  /** Whether a number is in it. */
  has(number: number): boolean {
    const [starts, ends] = [this.#starts, this.#ends];
    let [low, high] = [0, starts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle]! <= number) low = middle + 1;
      else high = middle;
    }
    return low > 0 && number < ends[low - 1]!;
  }
}
