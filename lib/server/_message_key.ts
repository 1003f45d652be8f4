/**
 * By what a message is known again.
 *
 * @module
 */
import type { ArrowMsg } from "../encoding/arrow_msg.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import { activationId } from "../encoding/protobuf/activation_id.ts";
import { xxh32 } from "../encoding/rrd/xxh32.ts";
import type { Tuid } from "../encoding/tuid.ts";

/** How many numbers of 32 bits a key has. */
export const WORDS = 4;

/** The key of one message after the other, in the same memory. */
export class MessageKey {
  readonly #id = new BigUint64Array(2);
  /** The key of the message that was looked at last. */
  readonly words: Uint32Array = new Uint32Array(this.#id.buffer);

  /** Makes the key of a message; `false` for one that can't be known again. */
  look(msg: LogMsg): boolean {
    if (msg.kind === "ArrowMsg") return this.#lookAtChunk(msg);
    if (msg.kind === "BlueprintActivationCommand") {
      const id = activationId(msg);
      if (id !== undefined) return this.#take(id);
    } else if (msg.kind !== "SetStoreInfo") return false;
    // They are the same byte for byte, however often they are sent on.
    const { bytes } = msg.encoded;
    for (let seed = 0; seed < WORDS; seed++) this.words[seed] = xxh32(bytes, seed);
    return true;
  }

  #lookAtChunk({ chunkId, storeId: { kind, id } }: ArrowMsg): boolean {
    if (chunkId === undefined) return false;
    this.#take(chunkId);
    // One chunk may be logged to several recordings.
    const hash = textHash(id, kind.charCodeAt(0));
    this.words[1]! ^= hash;
    this.words[2]! ^= hash;
    return true;
  }

  #take({ timeNs, inc }: Tuid): true {
    this.#id[0] = timeNs;
    this.#id[1] = inc;
    return true;
  }
}

/** A number that is the same for equal texts. */
function textHash(text: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
}
