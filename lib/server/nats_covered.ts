/**
 * What was read of a stream while other subjects were asked for: a program that is started with another
 * filter reads the stream from its beginning, and most of it came before.
 *
 * @module
 */
import { subjectMatcher } from "../nats/subjects.ts";
import type { Covered, NatsNote } from "./nats_note.ts";

/** Of so many filters it is remembered how far they were read; of others messages may come again. */
const MAX_FILTERS = 16;

/**
 * Where reading begins, and what need not be taken again behind that.
 *
 * @param note how far an earlier run came
 * @param subjects that are asked for now
 */
export function readBefore(
  note: NatsNote,
  subjects: readonly string[],
): { readonly seq: number; readonly covered: readonly Covered[] } {
  const all: readonly Covered[] = [...note.covered ?? [], [note.seq, note.subjects ?? subjects]];
  const isNow = ([, before]: Covered) => `${before}` === `${subjects}`;
  const seq = all.filter(isNow).reduce((most, [seq]) => Math.max(most, seq), 0);
  const covered = all.filter((one) => !isNow(one) && one[0] > 0).slice(-MAX_FILTERS);
  return { seq, covered };
}

/** Knows which messages came while other subjects were asked for. */
export class NatsCovered {
  #reads: readonly { readonly one: Covered; readonly matches: (subject: string) => boolean }[];

  /** @param covered from `readBefore` */
  constructor(covered: readonly Covered[] = []) {
    this.#reads = covered.map((one) => ({ one, matches: subjectMatcher(one[1]) }));
  }

  /** The number of the last message that any of these reads came to; 0 if there are none. */
  get lastSeq(): number {
    return this.#reads.reduce((most, { one: [seq] }) => Math.max(most, seq), 0);
  }

  /** Whether a message came before. */
  has(seq: number, subject: string): boolean {
    return this.#reads.some(({ one: [last], matches }) => seq <= last && matches(subject));
  }

  /** Forgets all, because the stream was made anew. */
  clear(): void {
    this.#reads = [];
  }

  /** The form to be written down. */
  toJSON(): readonly Covered[] {
    return this.#reads.map(({ one }) => one);
  }
}
