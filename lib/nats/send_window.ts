/**
 * Bounds what is under way to a server by how soon it answers: on a thin link, more would only wait in
 * sockets, until its answer counts as missing.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { ByteGate } from "../memory/byte_gate.ts";

/**
 * What is under way at first, and at least while answers are slow, in bytes: of 20 kB a second the
 * former takes 7 s, and a quick link lets it grow within a few answers.
 */
const FIRST_BYTES = 128 * 1024;
const LEAST_BYTES = 64 * 1024;

/** A question counts for so many bytes: its answer may have much more, and less. */
const ASK_BYTES = 16 * 1024;

/** An answer within so many milliseconds, which is no refusal, lets more be under way. */
const QUICK_MS = 1000;
/** An answer that took longer than so many milliseconds leaves half as much under way. */
const SLOW_MS = 3000;

/** Lets sends run side by side: more of them while their answers come soon. */
export class SendWindow {
  readonly #gate: ByteGate;
  readonly #mostBytes: number;
  readonly #now: Clock["now"];
  /** Sends that began before this do not make it narrower: they met the limit of that time. */
  #narrowedMs = -Infinity;

  /**
   * @param mostBytes for all sends together, however soon answers come
   * @param now monotonic milliseconds
   */
  constructor(mostBytes: number, now: Clock["now"]) {
    this.#mostBytes = mostBytes;
    this.#now = now;
    this.#gate = new ByteGate(Math.min(FIRST_BYTES, mostBytes));
  }

  /** How many bytes may be under way now; a send that is larger goes alone. */
  get limitBytes(): number {
    return this.#gate.limitBytes;
  }

  /**
   * How many bytes one send should have at most, where it can be made smaller: half of what may be under
   * way, so that the link has another one to carry while this one is answered.
   */
  get sendBytes(): number {
    return Math.floor(Math.max(LEAST_BYTES, this.limitBytes) / 2);
  }

  /**
   * Waits for room, and sends.
   *
   * @param bytes that are sent
   * @param signal ends the waiting, with its reason
   * @param send resolves or rejects with the answer
   */
  through<T>(bytes: number, signal: AbortSignal, send: () => Promise<T>): Promise<T> {
    return this.#gate.through(bytes, signal, async () => {
      const sentMs = this.#now();
      let isTaken = false;
      try {
        const answer = await send();
        isTaken = true;
        return answer;
      } finally {
        if (!signal.aborted) this.#answered(bytes, sentMs, isTaken);
      }
    });
  }

  /**
   * Waits for room, and asks something. How soon its answer comes tells nothing of how soon what is sent
   * comes through, so that the limit stays as it is.
   *
   * @param signal ends the waiting, with its reason
   * @param ask resolves or rejects with the answer
   */
  asking<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
    return this.#gate.through(ASK_BYTES, signal, ask);
  }

  #answered(bytes: number, sentMs: number, isTaken: boolean): void {
    const now = this.#now();
    const { limitBytes } = this.#gate;
    if (now - sentMs <= QUICK_MS) {
      // A refusal says nothing of the link: it may come before all of it was sent.
      if (!isTaken) return;
      this.#gate.limitBytes = Math.min(this.#mostBytes, limitBytes + bytes);
    } else if (now - sentMs > SLOW_MS && sentMs > this.#narrowedMs) {
      this.#narrowedMs = now;
      this.#gate.limitBytes = Math.min(
        limitBytes,
        Math.max(LEAST_BYTES, Math.floor(limitBytes / 2)),
      );
    }
  }
}
