/**
 * How far a file goes.
 *
 * @module
 */
import type { Tally } from "../../../base/tally.ts";

/** A file's beginning, and what is in it. */
export interface Extent extends Tally {
  readonly size: number;
  /** Messages of any kind in it, those too that only make it open alone. */
  readonly total: number;
  /** Whether a message of SDK 0.19 or later is in it. */
  readonly modern: boolean;
}

/** Where it begins. */
export const NOTHING: Extent = { size: 0, total: 0, messages: 0, bytes: 0, modern: false };

/** How far it goes with more messages, of which so many bytes are written. */
export function extended(before: Extent, bytes: number, more: Omit<Extent, "size">): Extent {
  return {
    size: before.size + bytes,
    total: before.total + more.total,
    messages: before.messages + more.messages,
    bytes: before.bytes + more.bytes,
    modern: before.modern || more.modern,
  };
}
