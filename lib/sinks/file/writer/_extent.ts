/**
 * The extent of a file: how long it is, and what is in it.
 *
 * @module
 */
import type { Tally } from "../../../base/tally.ts";

/** A file up to some length, and what is in that part. */
export interface Extent extends Tally {
  readonly size: number;
  /** Messages of any kind, also those that only let the file be opened alone. */
  readonly total: number;
  /** Whether a message of SDK 0.19 or later is in it. */
  readonly modern: boolean;
}

/** The extent of an empty file. */
export const NOTHING: Extent = { size: 0, total: 0, messages: 0, bytes: 0, modern: false };

/** The extent with more messages, which take so many bytes in the file. */
export function extended(before: Extent, bytes: number, more: Omit<Extent, "size">): Extent {
  return {
    size: before.size + bytes,
    total: before.total + more.total,
    messages: before.messages + more.messages,
    bytes: before.bytes + more.bytes,
    modern: before.modern || more.modern,
  };
}
