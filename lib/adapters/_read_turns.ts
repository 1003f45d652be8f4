/**
 * Whose turn it is to read, of clients that send more than is read at once.
 *
 * Deno reads a buffer of each socket in turn. Then the system's queues of all sockets are full, far more
 * than the processor's caches hold, and the copying takes twice as long as with one client. Several
 * reads of one socket after the other let its sender fill up what is still in the caches: 16 clients
 * were received at 1.9 GB/s, and are at 2.2.
 *
 * @module
 */

import type { every } from "../every.ts";

/** Bytes of one client before it is the next one's turn. */
const TURN_BYTES = 4 * 1024 * 1024;

/** How long a turn may stand still while others wait, in milliseconds. */
const STILL_MS = 1;

/** Gives one client after the other its turn; one that does not use it loses it. */
export class ReadTurns {
  readonly #every: typeof every;
  #holder: object | undefined;
  #left = 0;
  #waiting: { readonly who: object; readonly go: () => void }[] = [];
  #reads = 0;
  #readsAtTick = 0;
  #stop: (() => void) | undefined;

  /** @param timer runs a task again and again */
  constructor(timer: typeof every) {
    this.#every = timer;
  }

  /**
   * Asks for the turn, or for more of it.
   *
   * @param who wants to read
   * @returns resolves when it may; nothing if it may now
   */
  wait(who: object): Promise<void> | undefined {
    if (this.#holder === who && this.#waiting.length > 0 && this.#left <= 0) this.#next();
    if (this.#holder === undefined) this.#give(who);
    if (this.#holder === who) return undefined;
    this.#stop ??= this.#every(STILL_MS, () => this.#tick());
    return new Promise((go) => this.#waiting.push({ who, go }));
  }

  /**
   * Takes note of a read.
   *
   * @param who has read
   * @param bytes how much
   */
  count(who: object, bytes: number): void {
    if (this.#holder !== who) return;
    this.#left -= bytes;
    this.#reads++;
  }

  /**
   * Gives up the turn, or the wait for it.
   *
   * @param who has emptied its socket, or has left
   */
  leave(who: object): void {
    if (this.#holder === who) return this.#next();
    const at = this.#waiting.findIndex((each) => each.who === who);
    if (at >= 0) this.#waiting.splice(at, 1)[0]!.go();
  }

  #give(who: object | undefined): void {
    this.#holder = who;
    this.#left = TURN_BYTES;
  }

  #next(): void {
    const next = this.#waiting.shift();
    if (this.#waiting.length === 0) {
      this.#stop?.();
      this.#stop = undefined;
    }
    this.#give(next?.who);
    next?.go();
  }

  #tick(): void {
    if (this.#reads === this.#readsAtTick) this.#next();
    this.#readsAtTick = this.#reads;
  }
}
