/**
 * Messages and their bytes, counted: one form for what is received, queued, dropped, kept or lost.
 *
 * @module
 */

/** Messages and their encoded bytes, counted. */
export interface Tally {
  /** How many messages. */
  readonly messages: number;
  /** Their bytes as encoded, with their own headers. */
  readonly bytes: number;
}

/** A tally that is counted on. */
export interface RunningTally {
  /** How many messages so far. */
  messages: number;
  /** Their bytes as encoded, with their own headers. */
  bytes: number;
}

/** A tally that begins at 0. */
export function newTally(): RunningTally {
  return { messages: 0, bytes: 0 };
}

/**
 * Adds to a tally, or takes away from it.
 *
 * @param total what changes
 * @param tally how much
 * @param sign −1 to take it away
 */
export function addTo(total: RunningTally, { messages, bytes }: Tally, sign: 1 | -1 = 1): void {
  total.messages += sign * messages;
  total.bytes += sign * bytes;
}

/** The sum of two tallies. */
export function sumOf(a: Tally, b: Tally): Tally {
  return { messages: a.messages + b.messages, bytes: a.bytes + b.bytes };
}
