/**
 * The newest messages as the WebSocket frames that all viewers at the live edge get: made once, and
 * written to each socket from the same memory.
 *
 * @module
 */
import { type LeftOut, viewerFrameParts } from "../../encoding/bincode/bincode_log_msg.ts";
import { MAX_HEAD_BYTES } from "../../comms/websocket/frame_head.ts";
import { isReused } from "../../memory/buffer_pool.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { Memory } from "../log/memory.ts";
import { LargePart, type Part, PART_BYTES, SharedPart } from "./wire_parts.ts";
import type { SharedFrames } from "../types.ts";

/** Larger Arrow data, in bytes, is not copied: sockets are given the message's own bytes. */
const LARGE_BYTES = 32 * 1024;

/** Settings for all frames of a hub. */
export interface FrameSettings {
  /** Counts the memory that they take. */
  readonly memory: Memory;
  /** Free buffers. */
  readonly spare: Uint8Array[];
  /** Called with messages that no frame can be made of. */
  readonly onLeftOut: (msg: LogMsg, why: LeftOut) => void;
}

/** What was taken from a wire. */
export interface Taken {
  readonly frames: SharedFrames;
  /** Place of the last message that was taken. */
  readonly to: number;
}

/** Frames, which are kept while a viewer needs them. */
export class Wire {
  readonly #parts: Part[] = [];
  /** The place after which it has everything, up to its end. */
  #start = 0;
  #end = 0;
  /** Bytes of all frames that it ever had. */
  #offset = 0;
  #isEmpty = true;
  readonly #settings: FrameSettings;

  /**
   * @param maxBytes bytes that are kept for viewers that are behind; further back, frames are made
   * from the log
   * @param settings the same for all wires of a hub
   * @param partBytes bytes of the buffers for small frames
   */
  constructor(
    readonly maxBytes: number,
    settings: FrameSettings,
    readonly partBytes: number = PART_BYTES,
  ) {
    this.#settings = settings;
  }

  /** Whether it has everything after a place, or will have when the next messages are added. */
  covers(seq: number, lastSeq: number): boolean {
    return this.#isEmpty ? seq === lastSeq : seq >= this.#start && seq <= this.#end;
  }

  /**
   * Adds the next messages.
   *
   * @param msgs in their order
   * @param seq place of the first in the order of arrival
   */
  push(msgs: readonly LogMsg[], seq: number): void {
    if (this.#isEmpty) this.#start = this.#end = seq - 1;
    this.#isEmpty = false;
    for (const msg of msgs) this.#push(msg);
  }

  /**
   * Drops what no viewer needs, and what is too much.
   *
   * @param place place of the viewer that is furthest behind; nothing before it is needed
   */
  trim(place: number): void {
    let count = 0;
    for (const { end, offset } of this.#parts) {
      const isNeeded = end > place && this.#offset - offset <= this.maxBytes;
      if (isNeeded || count === this.#parts.length - 1) break;
      count++;
    }
    for (const part of this.#parts.splice(0, count)) {
      this.#start = part.end;
      part.drop();
    }
  }

  /** Drops all, when no viewer is at the live edge. */
  clear(): void {
    this.#isEmpty = true;
    for (const part of this.#parts.splice(0)) part.drop();
  }

  /**
   * Gives the next frames.
   *
   * @param from the place of the last message that was given
   * @param maxBytes about how many bytes; a larger message comes alone
   * @returns `undefined` if the wire begins later
   */
  take(from: number, maxBytes: number): Taken | undefined {
    if (this.#isEmpty || from < this.#start || from > this.#end) return undefined;
    const used: Part[] = [];
    const pieces: Uint8Array[] = [];
    let [messages, bytes, to] = [0, 0, from];
    for (let at = this.#after(from); at < this.#parts.length; at++) {
      const part = this.#parts[at]!;
      const given = part.from(Math.max(to, part.start));
      const length = given.pieces.reduce((sum, piece) => sum + piece.length, 0);
      if (used.length > 0 && bytes + length > maxBytes) return taken();
      part.acquire();
      used.push(part);
      pieces.push(...given.pieces);
      messages += given.messages;
      bytes += length;
      to = part.end;
    }
    // Messages behind the last part have no frames.
    to = this.#end;
    return taken();

    function taken(): Taken {
      const done = () => {
        for (const part of used) part.release();
      };
      return { frames: { pieces, messages, bytes, done }, to };
    }
  }

  /** Gives all frames. */
  takeAll(): Taken {
    return this.take(this.#start, Infinity)!;
  }

  /** The first part with a message that came after a place. */
  #after(seq: number): number {
    let low = 0;
    let high = this.#parts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#parts[middle]!.end <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #push(msg: LogMsg): void {
    const last = this.#parts.at(-1);
    const parts = viewerFrameParts(msg);
    if (typeof parts === "string") {
      this.#settings.onLeftOut(msg, parts);
      if (last instanceof SharedPart && last.end === this.#end) last.pass();
      this.#end++;
      return;
    }
    const { head, tail } = parts;
    const needed = MAX_HEAD_BYTES + head.length + tail.length;
    const { memory } = this.#settings;
    let part: Part;
    if (needed > LARGE_BYTES && !isReused(tail)) {
      this.#parts.push(part = new LargePart(this.#end, this.#offset, head, msg, tail, memory));
    } else {
      const shared = this.#shared(needed);
      shared.append(head, tail);
      part = shared;
    }
    this.#offset = part.offset + part.bytes;
    this.#end++;
  }

  #shared(needed: number): SharedPart {
    const last = this.#parts.at(-1);
    if (last instanceof SharedPart && last.end === this.#end && last.hasRoom(needed)) return last;
    const size = Math.max(this.partBytes, needed);
    const { spare, memory } = this.#settings;
    const part = new SharedPart(this.#end, this.#offset, size, spare, memory);
    this.#parts.push(part);
    return part;
  }
}
