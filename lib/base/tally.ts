/** Messages, and their bytes. */
export interface Tally {
  /** How many messages. */
  readonly messages: number;
  /** Their bytes as encoded, with their own headers. */
  readonly bytes: number;
}

/** Counts more. */
export function addTo(
  total: { messages: number; bytes: number },
  { messages, bytes }: Tally,
): void {
  total.messages += messages;
  total.bytes += bytes;
}
