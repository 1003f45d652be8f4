/**
 * Decides when a file is full, and when to try again after the disk failed.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";

/** When the next file begins. */
export interface Rotation {
  /** Bytes of a file, without what it repeats of earlier ones. */
  readonly maxBytes?: number;
  /** Seconds since a file was opened. */
  readonly maxAgeSec?: number;
}

/**
 * Whether the next message goes to a new file.
 *
 * @param rotation the limits
 * @param bytes of the file and the message, without what it repeats of earlier files
 * @param ageMs how long the file has been open, in milliseconds; asked only if there is a limit
 */
export function isRotationDue(rotation: Rotation, bytes: number, ageMs: () => number): boolean {
  const { maxBytes, maxAgeSec } = rotation;
  return (maxBytes !== undefined && bytes > maxBytes) ||
    (maxAgeSec !== undefined && ageMs() >= maxAgeSec * 1000);
}

/**
 * How often the ages of files are looked at, in milliseconds, for quiet recordings are rotated as
 * well: a file may get older than wanted by a fraction of its age, or by a second.
 */
export function rotationStep(maxAgeSec: number): number {
  return Math.min(1000, Math.max(10, maxAgeSec * 100));
}

/** Runs an action every so many milliseconds, until the function that it returns is called. */
export function repeat(
  timer: Clock["timer"],
  ms: number,
  action: () => Promise<void>,
): () => void {
  let cancel: (() => void) | undefined;
  let stopped = false;
  const next = () => {
    if (!stopped) cancel = timer(ms, () => void action().catch(() => {}).finally(next));
  };
  next();
  return () => {
    stopped = true;
    cancel?.();
  };
}

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;

/** Waits from 0.5 s, doubling to 30 s, between tries that fail. */
export class Backoff {
  #failures = 0;
  #retryAt = -Infinity;

  /** Whether it is time for a try. */
  mayTry(now: number): boolean {
    return now >= this.#retryAt;
  }

  /** Notes a failure at `now` milliseconds; returns how many there were in a row. */
  failed(now: number): number {
    const delay = Math.min(FIRST_DELAY_MS * 2 ** this.#failures, LONGEST_DELAY_MS);
    this.#retryAt = now + delay;
    return ++this.#failures;
  }

  /**
   * Notes that it works at `now`; after working for as long as the longest delay it starts over
   * with the shortest.
   */
  worked(now: number): void {
    if (this.#failures > 0 && now - this.#retryAt > LONGEST_DELAY_MS) this.#failures = 0;
  }
}
