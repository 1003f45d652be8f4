/**
 * What SDK 0.17 to 0.22 logged in today's form: made when a viewer asks for it, and once for all viewers
 * that are about at the same message.
 *
 * @module
 */
import { Bridge, type BridgeCounts, isBridgeable } from "../../bridge/mod.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";

/** So much is kept where history leaves no room, if it is no more than an eighth of the limit. */
const MIN_BYTES = 2 * 1024 * 1024;
/** Small messages take more in objects than in bytes. */
const MAX_MESSAGES = 4096;

/** A message in today's form; without it once it was let go of. */
interface Kept {
  msg: LogMsg | undefined;
}

/** The last ones that were made. */
export class BridgedMessages {
  readonly #bridge = new Bridge({ reusesMemory: false });
  readonly #known = new WeakMap<LogMsg, Kept>();
  /** In the order in which they were made; those before `#first` are gone. */
  #kept: Kept[] = [];
  #first = 0;
  #bytes = 0;
  readonly #limitBytes: number;
  readonly #heldBytes: () => number;
  readonly #onMade: (bytes: number) => void;

  /**
   * @param limitBytes of all that is kept for viewers
   * @param heldBytes of what is kept besides
   * @param onMade told of the bytes of each message that was made
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

  /** What came of messages; one that was made twice is counted twice. */
  get counts(): BridgeCounts {
    return this.#bridge.counts;
  }

  /**
   * A message in today's form.
   *
   * @returns the message itself if it has that already, or there is none of it
   */
  get(msg: LogMsg): LogMsg {
    if (!isBridgeable(msg.encoded.header)) return msg;
    const known = this.#known.get(msg)?.msg;
    if (known !== undefined) return known;
    const bridged = this.#bridge.bridge(msg);
    const kept = { msg: bridged };
    this.#known.set(msg, kept);
    this.#kept.push(kept);
    const { length } = bridged.encoded.bytes;
    this.#bytes += length;
    this.trim();
    this.#onMade(length);
    return bridged;
  }

  /** Lets go of the oldest until what is kept fits the limit. */
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

  /** Nobody asks for them any more. */
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
    this.#bytes -= kept.msg!.encoded.bytes.length;
    kept.msg = undefined;
  }
}
