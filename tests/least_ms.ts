/** Before it is slow, for other programs of the machine may stop this one for a second. */
const TRIES = 3;

/**
 * How long something takes at least, in milliseconds.
 *
 * @param run does the same each time
 * @param enough below this it is not done again
 */
export function leastMs(run: () => void, enough: number): number {
  let least = Infinity;
  for (let i = 0; i < TRIES && least >= enough; i++) {
    const start = performance.now();
    run();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}
