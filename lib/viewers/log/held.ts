/**
 * Keeps the large messages that one viewer is about to take alive, and counts them, whatever
 * becomes of them in the log.
 *
 * @module
 */
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { Memory } from "./memory.ts";
import { Slab } from "./slab.ts";

/** The large messages of one viewer. */
export class Held {
  #msgs: readonly LogMsg[] = [];

  /** @param memory counts the memory that they take */
  constructor(readonly memory: Memory) {}

  /** Replaces the messages that it was given before. */
  set(msgs: readonly LogMsg[]): void {
    const large = msgs.filter((msg) => !Slab.takes(msg));
    for (const msg of large) this.memory.acquire(msg, "viewer");
    for (const msg of this.#msgs) this.memory.release(msg, "viewer");
    this.#msgs = large;
  }
}
