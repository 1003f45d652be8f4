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

/** A message, with its form of today until that was dropped. */
interface Kept {
  msg: LogMsg | undefined;
}

/** Keeps the messages that were made last. */
export class BridgedMessages {
  readonly #bridge = new Bridge({ reusesMemory: false, sharesData: true });
  readonly #known = new WeakMap<LogMsg, Kept>();
  /** In the order in which they were made; those before `#first` were dropped. */
  #kept: Kept[] = [];
  #first = 0;
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

  /** Bytes of the messages that are kept. */
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
    const known = this.#known.get(msg)?.msg;
    if (known !== undefined) return known;
    const bridged = this.#bridge.bridge(msg);
    const kept = { msg: bridged };
    this.#known.set(msg, kept);
    this.#kept.push(kept);
    // Data that is shared counts as well: the message outlives what it was made of.
    this.#bytes += lengthOf(bridged.encoded);
    this.trim();
    this.#onMade(madeBytes(msg, bridged));
    return bridged;
  }

  /** Drops the oldest until what is kept fits the limit. */
  trim(): void {
    const free = Math.max(MIN_BYTES, this.#limitBytes - this.#heldBytes());
    const maxBytes = Math.min(this.#limitBytes / 8, free);
    while (this.#length > 0 && (this.#bytes > maxBytes || this.#length > MAX_MESSAGES)) {
      this.#drop();
    }
    if (this.#first * 2 < this.#kept.length) return;
    this.#kept = this.#kept.slice(this.#first);
    this.#first = 0;
  }

  /** Drops all, when nobody asks for them any more. */
  clear(): void {
    while (this.#length > 0) this.#drop();
    this.#kept = [];
    this.#first = 0;
  }

  get #length(): number {
    return this.#kept.length - this.#first;
  }

  #drop(): void {
    const kept = this.#kept[this.#first++]!;
    this.#bytes -= lengthOf(kept.msg!.encoded);
    kept.msg = undefined;
  }
}

/** Bytes of a message that are not those of the message it was made of. */
function madeBytes(of: LogMsg, bridged: LogMsg): number {
  const { buffer } = of.kind === "ArrowMsg" ? of.arrow.bytes : of.encoded.bytes;
  return partsOf(bridged.encoded)
    .reduce((sum, part) => part.buffer === buffer ? sum : sum + part.length, 0);
}
