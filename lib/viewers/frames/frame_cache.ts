/**
 * Keeps WebSocket frames, so that they are made once for all viewers, which are at about the same
 * message.
 *
 * @module
 */
import { type LeftOut, viewerFrame } from "../../encoding/bincode/bincode_log_msg.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";

/** Bytes of frames that are kept, not counting the very last one. */
const MAX_BYTES = 2 * 1024 * 1024;
/** How many frames are kept: small ones take more memory in objects than in bytes. */
const MAX_FRAMES = 1024;

/** Keeps the frames that were made last. */
export class FrameCache {
  /** How many messages no frame could be made of, by reason. */
  readonly leftOut: Record<LeftOut, number> = { tooLarge: 0, unknownKind: 0, unreadable: 0 };
  readonly #frames = new Map<LogMsg, Uint8Array<ArrayBuffer>>();
  readonly #left = new WeakMap<LogMsg, LeftOut>();
  #bytes = 0;

  /** Bytes of the frames that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Counts a message that no frame can be made of, once. */
  leaveOut(msg: LogMsg, why: LeftOut): void {
    if (this.#left.has(msg)) return;
    this.leftOut[why]++;
    this.#left.set(msg, why);
  }

  /** The frame of a message. */
  get(msg: LogMsg): Uint8Array<ArrayBuffer> | LeftOut {
    const known = this.#frames.get(msg) ?? this.#left.get(msg);
    if (known !== undefined) return known;
    const frame = viewerFrame(msg);
    if (typeof frame === "string") {
      this.leaveOut(msg, frame);
      return frame;
    }
    this.#frames.set(msg, frame);
    this.#bytes += frame.length;
    while (this.#frames.size > 1 && (this.#bytes > MAX_BYTES || this.#frames.size > MAX_FRAMES)) {
      const [oldest, { length }] = this.#frames.entries().next().value!;
      this.#frames.delete(oldest);
      this.#bytes -= length;
    }
    return frame;
  }
}
