/**
 * Finds messages of blueprints and static data that several files have, because each file can be
 * opened alone.
 *
 * @module
 */
import { storeOf } from "../encoding/store_of.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import { staticKey } from "../encoding/arrow/static_key.ts";

/**
 * How many messages are remembered; a blueprint has a few dozen, and so has the static data of a
 * recording.
 */
const MAX_KNOWN = 100_000;

/** Finds messages of blueprints and static data that an earlier file has as often. */
export class RepeatedMessages {
  /** How often each message came in the file that has it most often, and in this file. */
  readonly #known = new Map<string, { most: number; here: number }>();
  #leftOut = 0;

  /** How many were found. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** Begins with the next file. */
  nextFile(): void {
    for (const times of this.#known.values()) times.here = 0;
  }

  /** Whether an earlier file has this message; always false for data with a time. One call at a time. */
  async has(msg: LogMsg): Promise<boolean> {
    if (!mayBeRepeated(msg)) return false;
    const digest = await crypto.subtle.digest("SHA-256", msg.encoded.bytes as BufferSource);
    const key = String.fromCharCode(...new Uint8Array(digest));
    const times = this.#known.get(key);
    if (times === undefined) {
      if (this.#known.size < MAX_KNOWN) this.#known.set(key, { most: 1, here: 1 });
      return false;
    }
    if (++times.here > times.most) {
      times.most = times.here;
      return false;
    }
    this.#leftOut++;
    return true;
  }
}

/**
 * Whether the parts of a recording may begin with a message. Static data is compared with its row
 * ids, so only the same logged data is found again.
 */
function mayBeRepeated(msg: LogMsg): boolean {
  if (storeOf(msg)?.kind === "Blueprint") return true;
  return msg.kind === "ArrowMsg" && staticKey(msg) !== undefined;
}
