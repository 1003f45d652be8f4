/**
 * Keeps what waits from getting old.
 *
 * @module
 */
import type { ChannelSender } from "./channel_sender.ts";

/** Holds a client back while what it sent before has waited for too long. */
export class Lag {
  readonly #waiting = new Map<ChannelSender, () => void>();

  /**
   * Begins with nobody held back.
   *
   * @param maxMs how long it may wait, in milliseconds
   * @param now monotonic clock in milliseconds
   */
  constructor(readonly maxMs: number, readonly now: () => number) {}

  /** What to wait for before the client's next read. */
  behind(sender: ChannelSender): Promise<void> | undefined {
    if (!this.#isBehind(sender)) return undefined;
    return new Promise((resolve) => this.#waiting.set(sender, resolve));
  }

  /** Says that something of this client was taken. */
  received(sender: ChannelSender): void {
    const resume = this.#waiting.get(sender);
    if (resume === undefined || this.#isBehind(sender)) return;
    this.#waiting.delete(sender);
    resume();
  }

  /** Lets all go on. */
  release(): void {
    for (const resume of this.#waiting.values()) resume();
    this.#waiting.clear();
  }

  #isBehind({ queue: { first } }: ChannelSender): boolean {
    return first !== undefined && this.now() - first.time > this.maxMs;
  }
}
