/**
 * How far a stream was received, as it is written down beside the recordings.
 *
 * @module
 */
import type { SeenJson } from "./nats_seen.ts";

/** A place in the stream, and what came of each recording up to there. */
export interface NatsNote {
  /** The last message of the stream that need not come again; 0 before the first. */
  readonly seq: number;
  /**
   * The last message of each file of each recording.
   *
   * @internal
   */
  readonly seen: SeenJson;
  /** When the stream was made, as JetStream says: one made anew begins with 1 again. */
  readonly created?: string;
  /** What was asked for. */
  readonly subjects?: readonly string[];
  /** Messages of each recording that were received, though one before them was not yet. */
  readonly beyond: readonly (readonly [recording: string, count: number])[];
}
