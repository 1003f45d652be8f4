/**
 * What may be said of the maximum latency.
 *
 * @module
 */

/**
 * Says no to one that is not above 0.
 *
 * @param maxLatencySec in seconds; 0 as well is what is lost as a 32-bit float, which it is in the arithmetic
 * @throws {RangeError} if it is not
 */
export function checkMaxLatency(maxLatencySec: number): void {
  if (Math.fround(maxLatencySec) > 0) return;
  throw new RangeError(
    `maxLatencySec must be above 0 seconds, or Infinity to drop nothing, not ${maxLatencySec}`,
  );
}
