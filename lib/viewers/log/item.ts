/**
 * The items of the log.
 *
 * @module
 */
import { MESSAGE_OVERHEAD_BYTES } from "../../flow/channel/pinned_bytes.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { Memory, User } from "./memory.ts";

/**
 * The role of a message: the preamble (store infos, blueprints, activations, and what is unknown)
 * and static data explain chunks; of chunks the newest are kept.
 */
export type Role = "preamble" | "static" | "chunk";

/** One message, or several successive ones. */
export interface Item {
  /** Place of its first message in the order of arrival, counted over all messages. */
  readonly seq: number;
  /** Place of its last message. */
  readonly lastSeq: number;
  /** Encoded bytes of all messages that came before it. */
  readonly before: number;
  readonly role: Role;
  readonly messages: number;
  /** Encoded bytes of its messages. */
  readonly bytes: number;
  /** Whether it is spared when the oldest are dropped. */
  isProtected: boolean;
  /** Whether the log has dropped it. */
  isGone: boolean;
  /** Its messages from a place on. */
  from(seq: number): readonly LogMsg[];
  /** Frees it, when the log drops it. */
  release(): void;
}

/** One message, in the log, in the window of the newest, or both. */
export class Entry implements Item {
  isProtected = false;
  isGone = false;
  readonly messages = 1;
  readonly bytes: number;
  #isHeld = false;
  /** Lists keep items for a while after they are gone; these must not keep the message alive. */
  #msg: LogMsg | undefined;

  /**
   * @param msg what is kept
   * @param seq its place
   * @param before encoded bytes before it
   * @param memory counts its memory once it is held
   * @param user the user of the memory
   * @param role its role; newer static data with the same `staticKey` replaces older
   * @param staticKey of static data
   */
  constructor(
    msg: LogMsg,
    readonly seq: number,
    readonly before: number,
    readonly memory: Memory,
    readonly user: User,
    readonly role: Role = "chunk",
    readonly staticKey?: string,
  ) {
    this.bytes = msg.encoded.bytes.length;
    this.#msg = msg;
  }

  /** The message, until it is released. */
  get msg(): LogMsg {
    if (this.#msg === undefined) {
      throw new TypeError("This message was released, and its bytes may be gone");
    }
    return this.#msg;
  }

  get lastSeq(): number {
    return this.seq;
  }

  from(): readonly LogMsg[] {
    return this.#msg === undefined ? [] : [this.#msg];
  }

  /** Counts its memory. */
  hold(): this {
    this.#isHeld = true;
    this.memory.add(MESSAGE_OVERHEAD_BYTES);
    this.memory.acquire(this.msg, this.user);
    return this;
  }

  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.memory.add(-MESSAGE_OVERHEAD_BYTES);
    this.memory.release(this.msg, this.user);
    this.#msg = undefined;
  }
}
