/** Seconds since 1970, to the microsecond: what processes on one machine can compare. */
export function clock(): number {
  return (performance.timeOrigin + performance.now()) / 1000;
}
