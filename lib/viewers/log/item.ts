/**
 * What the log is made of.
 *
 * @module
 */
import { MESSAGE_OVERHEAD_BYTES } from "../../flow/channel/pinned_bytes.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { Memory, User } from "./memory.ts";

/**
 * What a message is to those that come after it: the preamble (store infos, blueprints, activations,
 * and what is unknown) and static data explain chunks, of which the newest are kept.
 */
export type Role = "preamble" | "static" | "chunk";

/** One message or several that came one after the other. */
export interface Item {
  /** Place of the first in the order of arrival; counts up over all messages. */
  readonly seq: number;
  /** Place of the last. */
  readonly lastSeq: number;
  /** Encoded bytes of all messages that came before it. */
  readonly before: number;
  readonly role: Role;
  readonly messages: number;
  /** Encoded bytes. */
  readonly bytes: number;
  /** Whether ordinary pressure spares it. */
  isProtected: boolean;
  /** Whether the log has it no more. */
  isGone: boolean;
  /** Those from a place on. */
  from(seq: number): readonly LogMsg[];
  /** The log lets go of it. */
  release(): void;
}

/** One message, in the log, in the window of the newest, or both. */
export class Entry implements Item {
  isProtected = false;
  isGone = false;
  readonly messages = 1;
  readonly bytes: number;
  #isHeld = false;
  /** Lists keep their places for a while after they are gone, and must keep no message alive. */
  #msg: LogMsg | undefined;

  /**
   * @param msg what is kept
   * @param seq its place
   * @param before encoded bytes before it
   * @param memory counts what it takes once it is held
   * @param user who holds it
   * @param role `"static"`: newer data with the same `staticKey` takes its place
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

  /** What is kept, until it is released. */
  get msg(): LogMsg {
    if (this.#msg === undefined) throw new TypeError("Nobody holds this message any more");
    return this.#msg;
  }

  get lastSeq(): number {
    return this.seq;
  }

  from(): readonly LogMsg[] {
    return this.#msg === undefined ? [] : [this.#msg];
  }

  /** Counts it. */
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
