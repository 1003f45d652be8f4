/**
 * The order in which Rerun keeps time points.
 *
 * @module
 */
import type { TimelineTime } from "./message_parts.ts";

/**
 * Compares by UTF-8 bytes, as Rust does; JavaScript's own `<` differs beyond U+FFFF.
 */
function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates belong to code points that are above all others.
    const xHigh = x >= 0xd800 && x < 0xe000;
    const yHigh = y >= 0xd800 && y < 0xe000;
    return xHigh === yHigh ? x - y : xHigh ? 1 : -1;
  }
  return a.length - b.length;
}

function compare(a: TimelineTime, b: TimelineTime): number {
  return compareUtf8(a.name, b.name) || (a.type === b.type ? 0 : a.type === "time" ? -1 : 1);
}

/**
 * Brings a time point into Rerun's order: by the UTF-8 bytes of the name, then time before
 * sequence. Of a repeated timeline the last time stays.
 *
 * @param times one entry for each timeline; returned itself if it is in order
 */
export function orderTimepoint(times: TimelineTime[]): TimelineTime[] {
  let ordered = true;
  for (let i = 1; i < times.length && ordered; i++) ordered = compare(times[i - 1]!, times[i]!) < 0;
  if (ordered) return times;
  const sorted = times.map((time, i) => ({ time, i }))
    .sort((a, b) => compare(a.time, b.time) || a.i - b.i)
    .map(({ time }) => time);
  return sorted.filter((time, i) => i + 1 === sorted.length || compare(time, sorted[i + 1]!) !== 0);
}
