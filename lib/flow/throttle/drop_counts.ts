/**
 * How much was dropped, and why.
 *
 * @module
 */
import type { DropCount, DropCounts } from "./_drop_report.ts";

export type { DropCount, DropCounts };

/** Before anything was dropped. */
export const NONE_DROPPED: DropCounts = {
  throttled: { messages: 0, bytes: 0 },
  overflow: { messages: 0, bytes: 0 },
};

/** Both together. */
export function addDropped(a: DropCounts, b: DropCounts): DropCounts {
  const add = (x: DropCount, y: DropCount) => ({
    messages: x.messages + y.messages,
    bytes: x.bytes + y.bytes,
  });
  return { throttled: add(a.throttled, b.throttled), overflow: add(a.overflow, b.overflow) };
}
