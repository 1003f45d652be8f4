import type { Tally } from "../sink.ts";

/** Counts more. */
export function addTo(
  total: { messages: number; bytes: number },
  { messages, bytes }: Tally,
): void {
  total.messages += messages;
  total.bytes += bytes;
}
