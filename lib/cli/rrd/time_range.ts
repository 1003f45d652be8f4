/**
 * A range of times on a timeline, as arguments give it.
 *
 * @module
 */

/** A range of times; both ends belong to it. */
export interface TimeRange {
  readonly timeline: string;
  /** A sequence number, or nanoseconds. */
  readonly from: bigint;
  readonly to: bigint;
}

const MAX = 2n ** 63n - 1n;

/**
 * Reads such as `frame=10..20`, `frame=10..` or `log_time=..1795337255309924823`.
 *
 * @throws {RangeError} if it is another text
 */
export function parseTimeRange(text: string): TimeRange {
  const [, timeline, from, to] = /^(.+)=(-?\d+)?\.\.(-?\d+)?$/s.exec(text) ?? [];
  const range = {
    timeline: timeline ?? "",
    from: BigInt(from ?? -MAX - 1n),
    to: BigInt(to ?? MAX),
  };
  if (timeline === undefined || range.from > range.to) {
    throw new RangeError("expected a timeline and two times in order, such as frame=10..20");
  }
  return range;
}
