/**
 * How much of recordings is in memory, read from the disk and not acknowledged: bounded for all files of
 * a target together.
 *
 * @module
 */
import { ByteGate } from "../memory/byte_gate.ts";

/** A message that takes a smaller part of the limit need not be alone. */
const LARGE_SHARE = 16;

/** Bounds what is read at once. */
export class HeldBytes {
  /** A message that is longer is large, in bytes. */
  readonly largeBytes: number;
  readonly #gate: ByteGate;
  /** Of those one is held at a time: nobody knows before how long they are. */
  readonly #large = new ByteGate(1);

  /**
   * @param limitBytes of all together, without large messages
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
