/**
 * The note that is written beside the recordings: how far a stream of NATS was received.
 *
 * @module
 */
import type { SeenJson } from "./nats_seen.ts";

/** How far the stream was read for some subjects, from `filterSubjects`. */
export type Covered = readonly [seq: number, subjects: readonly string[]];

/** A place in the stream, and what came of each recording up to there. */
export interface NatsNote {
  /** Number of the last message of the stream that need not come again; 0 before the first. */
  readonly seq: number;
  /**
   * The last message of each file of each recording.
   *
   * @internal
   */
  readonly seen: SeenJson;
  /**
   * When the stream was made, as JetStream says: a stream that is made anew begins with number 1
   * again.
   */
  readonly created?: string;
  /** Which subjects were asked for. */
  readonly subjects?: readonly string[];
  /**
   * How far the stream was read while other subjects were asked for.
   *
   * @internal
   */
  readonly covered?: readonly Covered[];
  /**
   * How many messages of each recording were received beyond `seq`, while one before them was not.
   */
  readonly beyond: readonly (readonly [recording: string, count: number])[];
}
