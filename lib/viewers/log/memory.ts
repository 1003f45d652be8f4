/**
 * One account of what the log, its other forms and the sockets of viewers keep alive.
 *
 * @module
 */
import { pinnedBy } from "../../flow/channel/pinned_bytes.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";

/** Who uses a message: the log, a form that is shared at the live edge, or viewers that take it. */
export type User = "log" | "form" | "viewer";

/** A buffer that messages are views on, which is counted once. */
interface Buffer {
  readonly bytes: number;
  readonly uses: Record<User, number>;
}

/** Counts what messages keep alive: each buffer once, and the objects. */
export class Memory {
  /** Bytes that are kept alive. */
  bytes = 0;
  /** How many of these only viewers keep alive, which have not yet taken all of a message. */
  pinned = 0;
  readonly #buffers = new WeakMap<ArrayBufferLike, Buffer>();

  /** Counts bytes that are in no shared buffer. */
  add(bytes: number): void {
    this.bytes += bytes;
  }

  /** Counts one more user of the buffers of a message; the first user adds their bytes. */
  acquire(msg: LogMsg, user: User): void {
    this.#change(msg, user, 1);
  }

  /**
   * Counts one user less of the buffers of a message; the last one takes their bytes out of the
   * account.
   */
  release(msg: LogMsg, user: User): void {
    this.#change(msg, user, -1);
  }

  #change(msg: LogMsg, user: User, by: 1 | -1): void {
    for (const each of pinnedBy([msg]).buffers) {
      const buffer = this.#buffer(each);
      this.#count(buffer, -1);
      buffer.uses[user] += by;
      this.#count(buffer, 1);
    }
  }

  #count({ bytes, uses }: Buffer, sign: 1 | -1): void {
    if (uses.log + uses.form + uses.viewer > 0) this.bytes += sign * bytes;
    if (uses.viewer > 0 && uses.log === 0) this.pinned += sign * bytes;
  }

  #buffer(buffer: ArrayBufferLike): Buffer {
    let known = this.#buffers.get(buffer);
    if (known === undefined) {
      known = { bytes: buffer.byteLength, uses: { log: 0, form: 0, viewer: 0 } };
      this.#buffers.set(buffer, known);
    }
    return known;
  }
}
