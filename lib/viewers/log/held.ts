/**
 * The large messages that one viewer is about to take, whatever becomes of them in the log.
 *
 * @module
 */
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { Memory } from "./memory.ts";
import { Slab } from "./slab.ts";

/** Counts them. */
export class Held {
  #msgs: readonly LogMsg[] = [];

  /** @param memory that they take */
  constructor(readonly memory: Memory) {}

  /** Those that it was given last take the place of those before. */
  set(msgs: readonly LogMsg[]): void {
    const large = msgs.filter((msg) => !Slab.takes(msg));
    for (const msg of large) this.memory.acquire(msg, "viewer");
    for (const msg of this.#msgs) this.memory.release(msg, "viewer");
    this.#msgs = large;
  }
}
