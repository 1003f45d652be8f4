/**
 * Bounds the memory of messages that were read from the disk and not acknowledged yet, for all
 * files of a target together.
 *
 * @module
 */
import { ByteGate } from "../memory/byte_gate.ts";

/** A message below this fraction of the limit is not treated as large. */
const LARGE_SHARE = 16;

/** Bounds what is in memory at once. */
export class HeldBytes {
  /** Messages longer than this are large, in bytes. */
  readonly largeBytes: number;
  readonly #gate: ByteGate;
  /** Lets one large message be held at a time, since its length is not known before it is read. */
  readonly #large = new ByteGate(1);

  /**
   * @param limitBytes for all files together, without large messages
   * @param batchBytes of one batch
   */
  constructor(limitBytes: number, batchBytes: number) {
    this.largeBytes = Math.max(batchBytes, Math.floor(limitBytes / LARGE_SHARE));
    this.#gate = new ByteGate(limitBytes);
  }

  /**
   * Waits for room, and holds it while something is read and sent.
   *
   * @param bytes of a batch at most
   * @param signal ends the waiting, with its reason
   */
  batch<T>(bytes: number, signal: AbortSignal, action: () => Promise<T>): Promise<T> {
    return this.#gate.through(bytes, signal, action);
  }

  /** Waits until no other large message is held; to be called inside of `batch`. */
  large<T>(signal: AbortSignal, action: () => Promise<T>): Promise<T> {
    return this.#large.through(1, signal, action);
  }
}
