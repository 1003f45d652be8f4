/**
 * Repeatable random numbers in [0, 1) (mulberry32).
 *
 * @param seed any 32-bit number; print it where a test fails
 */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * The random numbers of one case of a run, so that it can be run again alone.
 *
 * @param seed of the run
 * @param index of the case
 */
export function caseRandom(seed: number, index: number): () => number {
  return seeded(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
}

/** Cuts bytes into pieces at random places. */
export function randomPieces(
  bytes: Uint8Array<ArrayBuffer>,
  random: () => number,
): Uint8Array<ArrayBuffer>[] {
  const pieces = [];
  for (let at = 0; at < bytes.length;) {
    // Mostly small cuts, some long stretches: both meet every boundary sooner or later.
    const length = 1 + Math.floor(random() ** 4 * 40_000);
    pieces.push(bytes.slice(at, at + length));
    at += length;
  }
  return pieces;
}
