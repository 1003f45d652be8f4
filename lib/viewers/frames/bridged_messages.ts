/**
 * Messages of SDK 0.17 to 0.22 in today's form, made when a viewer asks for them, and once for all
 * viewers that are at about the same message.
 *
 * @module
 */
import { Bridge, type BridgeCounts, isBridgeable } from "../../bridge/mod.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import { lengthOf, partsOf } from "../../encoding/split_encoded.ts";

/** Bytes that are kept even if history leaves no room, but no more than an eighth of the limit. */
const MIN_BYTES = 2 * 1024 * 1024;
/** How many messages are kept: small ones take more memory in objects than in bytes. */
const MAX_MESSAGES = 4096;
/** How much of both stays when the oldest are dropped. */
const STAY = 7 / 8;

/** A message, and its form of today. */
interface Kept {
  readonly of: LogMsg;
  readonly msg: LogMsg;
  /** Bytes that both keep alive. */
  readonly bytes: number;
}

/** Keeps the messages that were made last. */
export class BridgedMessages {
  readonly #bridge = new Bridge({ reusesMemory: false, sharesData: true });
  /** In the order in which they were made. */
  readonly #kept = new Map<LogMsg, Kept>();
  #bytes = 0;
  readonly #limitBytes: number;
  readonly #heldBytes: () => number;
  readonly #onMade: (bytes: number) => void;

  /**
   * @param limitBytes of all that is kept for viewers
   * @param heldBytes gives the bytes of what else is kept for viewers
   * @param onMade called with the bytes that making each message took
   */
  constructor(
    limitBytes: number,
    heldBytes: () => number,
    onMade: (bytes: number) => void = () => {},
  ) {
    this.#limitBytes = limitBytes;
    this.#heldBytes = heldBytes;
    this.#onMade = onMade;
  }

  /** Bytes of the messages that are kept, and of those that they were made of. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Counts of what became of messages; one that was made twice is counted twice. */
  get counts(): BridgeCounts {
    return this.#bridge.counts;
  }

  /**
   * Gives a message in today's form.
   *
   * @returns the message itself if it has that form already, or can't have it
   */
  get(msg: LogMsg): LogMsg {
    if (!isBridgeable(msg.encoded.header)) return msg;
    const known = this.#kept.get(msg);
    if (known !== undefined) return known.msg;
    const bridged = this.#bridge.bridge(msg);
    const made = madeBytes(msg, bridged);
    const length = lengthOf(bridged.encoded);
    const isShared = made < length;
    const bytes = isShared ? length : length + msg.encoded.bytes.length;
    this.#kept.set(msg, { of: msg, msg: bridged, bytes });
    this.#bytes += bytes;
    this.trim();
    this.#onMade(made);
    return bridged;
  }

  /** Drops the oldest until what is kept fits the limit. */
  trim(): void {
    const free = Math.max(MIN_BYTES, this.#limitBytes - this.#heldBytes());
    const maxBytes = Math.min(this.#limitBytes / 8, free);
    if (this.#bytes <= maxBytes && this.#kept.size <= MAX_MESSAGES) return;
    // Several at a time: to find the first of a `Map` takes longer, the more before it were deleted.
    for (const kept of this.#kept.values()) {
      const fits = this.#bytes <= maxBytes * STAY && this.#kept.size <= MAX_MESSAGES * STAY;
      if (fits) return;
      this.#kept.delete(kept.of);
      this.#bytes -= kept.bytes;
    }
  }

  /** Drops all, when nobody asks for them any more. */
  clear(): void {
    this.#kept.clear();
    this.#bytes = 0;
  }
}

/** Bytes of a message that are not those of the message it was made of. */
function madeBytes(of: LogMsg, bridged: LogMsg): number {
  const { buffer } = of.kind === "ArrowMsg" ? of.arrow.bytes : of.encoded.bytes;
  return partsOf(bridged.encoded)
    .reduce((sum, part) => part.buffer === buffer ? sum : sum + part.length, 0);
}
