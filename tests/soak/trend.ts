/** Whether a measured series rises. */

/** A slope in units a minute, and the interval that it is in with 95 % certainty. */
export interface Trend {
  readonly slope: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The Theil–Sen slope: the median of the slopes of all pairs. Its interval is Sen's, from the
 * variance of Kendall's S; neither a few outliers nor a distribution that is not normal matter.
 *
 * @param values measured at equal distances
 * @param minutes from one to the next
 */
export function trend(values: readonly number[], minutes: number): Trend {
  const slopes: number[] = [];
  for (let i = 0; i < values.length; i++) {
    for (let j = i + 1; j < values.length; j++) {
      slopes.push((values[j]! - values[i]!) / ((j - i) * minutes));
    }
  }
  slopes.sort((a, b) => a - b);
  const n = values.length;
  const spread = 1.96 * Math.sqrt(n * (n - 1) * (2 * n + 5) / 18);
  const at = (index: number) =>
    slopes[Math.max(0, Math.min(slopes.length - 1, Math.round(index)))]!;
  return {
    slope: at((slopes.length - 1) / 2),
    low: at((slopes.length - spread) / 2 - 1),
    high: at((slopes.length + spread) / 2),
  };
}

/** The lowest of every so many values: what is left when the garbage is gone. */
export function lows(values: readonly number[], every: number): number[] {
  const found: number[] = [];
  for (let at = 0; at + every <= values.length; at += every) {
    found.push(Math.min(...values.slice(at, at + every)));
  }
  return found;
}
