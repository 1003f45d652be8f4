/**
 * Keeps messages from waiting for too long in the channel.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { ClientQueue } from "./client_queue.ts";

/** Holds a client back while what it sent before has waited for too long. */
export class Lag {
  readonly #waiting = new Map<ClientQueue, () => void>();

  /**
   * Begins with no client held back.
   *
   * @param maxMs how long it may wait, in milliseconds
   * @param now monotonic clock in milliseconds
   */
  constructor(readonly maxMs: number, readonly now: Clock["now"]) {}

  /** Gives what to wait for before the client's next read; nothing if it may be read now. */
  behind(queue: ClientQueue): Promise<void> | undefined {
    if (!this.#isBehind(queue)) return undefined;
    return new Promise((resolve) => this.#waiting.set(queue, resolve));
  }

  /** Says that something of this client was taken. */
  received(queue: ClientQueue): void {
    const resume = this.#waiting.get(queue);
    if (resume === undefined || this.#isBehind(queue)) return;
    this.#waiting.delete(queue);
    resume();
  }

  /** Lets all clients go on. */
  release(): void {
    for (const resume of this.#waiting.values()) resume();
    this.#waiting.clear();
  }

  #isBehind({ first }: ClientQueue): boolean {
    return first !== undefined && this.now() - first.time > this.maxMs;
  }
}
