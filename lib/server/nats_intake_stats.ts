/**
 * Counts of what came of a stream of NATS.
 *
 * @module
 */

/** Counts of a stream. */
export interface NatsIntakeStats {
  /** Number of the message of the stream up to which all was received. */
  readonly position: number;
  /** Messages of the stream that wait behind the one that was read last. */
  readonly pending: number;
  /** How old the message is that was read last, in seconds, while others wait behind it; else 0. */
  readonly lagSec: number;
  /** Boxes that were heard of. */
  readonly boxes: number;
  /** How many boxes sent something in the last 60 s, seen from where the stream is read. */
  readonly live: number;
  /** Recordings of boxes of which something was sent in these 60 s. */
  readonly recordings: number;
  /**
   * How old the last messages of these recordings were when they came, since they were written on
   * the box: the largest, in seconds.
   */
  readonly ageSec: number;
  /** Log messages that came for the first time. */
  readonly messages: number;
  /** Log messages that had come before, and were left out. */
  readonly repeated: number;
  /** Messages of the stream that no box sent, that can't be read, or that this program sent. */
  readonly refused: number;
  /** Messages of the stream whose log messages wait to be received. */
  readonly underWay: number;
}
