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
import type { Memory } from "../history/item.ts";
import { LargePart, type Part, PART_BYTES, type Place, SharedPart } from "./wire_parts.ts";
import type { SharedFrames } from "../types.ts";

/** Larger Arrow data is not copied: sockets are given the message's own bytes. */
const LARGE_BYTES = 32 * 1024;

/** What all frames of a hub are made with. */
export interface FrameSettings {
  /** Counts what they take. */
  readonly memory: Memory;
  /** Buffers that are free for others. */
  readonly spare: Uint8Array[];
  /** Told of messages that no frame can be made of. */
  readonly onLeftOut: (msg: LogMsg, why: LeftOut) => void;
}

/** What was taken from a wire. */
export interface Taken {
  readonly frames: SharedFrames;
  /** Where to go on. */
  readonly to: Place;
}

const START: Place = { offset: 0, seq: 0, messages: 0, bytes: 0, frames: 0 };

/** Frames, kept while a viewer needs them. */
export class Wire {
  readonly #parts: Part[] = [];
  /** Behind the newest message. */
  #end = START;
  readonly #settings: FrameSettings;

  /**
   * @param maxBytes kept for viewers that are behind; they find the rest in the history
   * @param settings the same for all wires of a hub
   * @param partBytes of the buffers for small frames, if so much will come
   */
  constructor(
    readonly maxBytes: number,
    settings: FrameSettings,
    readonly partBytes: number = PART_BYTES,
  ) {
    this.#settings = settings;
  }

  /** Where the next message will be. */
  get end(): Place {
    return this.#end;
  }

  /**
   * A viewer comes to the live edge; nothing may have been put on the wire before.
   *
   * @param seq place of the newest message
   * @returns where the next message will be
   */
  join(seq: number): Place {
    return this.#end = { ...this.#end, seq };
  }

  /**
   * Takes in what came next.
   *
   * @param msgs in their order
   * @param seq place of the first in the order of arrival
   */
  push(msgs: readonly LogMsg[], seq: number): void {
    for (const msg of msgs) this.#push(msg, seq++);
  }

  /**
   * Lets go of what no viewer needs, and of what is too much.
   *
   * @param place of the viewer that is furthest behind; what is before it is needed no more
   */
  trim(place: Place): void {
    let count = 0;
    for (const { end, start } of this.#parts) {
      const isNeeded = end.offset > place.offset &&
        this.#end.offset - start.offset <= this.maxBytes;
      if (isNeeded || end.offset === this.#end.offset) break;
      count++;
    }
    for (const part of this.#parts.splice(0, count)) part.drop();
  }

  /** No viewer is at the live edge. */
  clear(): void {
    for (const part of this.#parts.splice(0)) part.drop();
  }

  /**
   * What comes next.
   *
   * @param from where
   * @param maxBytes about how many bytes; a larger message comes alone
   * @returns `undefined` where the wire begins later
   */
  take(from: Place, maxBytes: number): Taken | undefined {
    if (from.offset === this.#end.offset) return { frames: NOTHING, to: this.#end };
    let at = this.#parts.findIndex(({ end }) => end.offset > from.offset);
    if (at < 0 || this.#parts[at]!.start.offset > from.offset) return undefined;
    const used: Part[] = [];
    const pieces: Uint8Array[] = [];
    let to = from;
    for (; at < this.#parts.length; at++) {
      const part = this.#parts[at]!;
      if (used.length > 0 && part.end.offset - from.offset > maxBytes) break;
      pieces.push(...part.from(to.offset));
      part.use();
      used.push(part);
      to = part.end;
    }
    const done = () => {
      for (const part of used) part.unuse();
    };
    const messages = to.frames - from.frames;
    return { frames: { pieces, messages, bytes: to.offset - from.offset, done }, to };
  }

  /** All that is on it, from its start. */
  takeAll(): Taken {
    // What was left out last is behind the last part.
    return { ...this.take(START, Infinity)!, to: this.#end };
  }

  #push(msg: LogMsg, seq: number): void {
    const { length } = msg.encoded.bytes;
    const before = this.#end;
    const after = { ...before, seq, messages: before.messages + 1, bytes: before.bytes + length };
    const parts = viewerFrameParts(msg);
    if (typeof parts === "string") {
      this.#settings.onLeftOut(msg, parts);
      this.#end = after;
      return;
    }
    const { head, tail } = parts;
    const needed = MAX_HEAD_BYTES + head.length + tail.length;
    if (needed > LARGE_BYTES && !isReused(tail)) {
      this.#parts.push(new LargePart(before, after, head, msg, tail, this.#settings.memory));
    } else this.#shared(needed).append(after, head, tail);
    this.#end = this.#parts.at(-1)!.end;
  }

  #shared(needed: number): SharedPart {
    const last = this.#parts.at(-1);
    if (last instanceof SharedPart && last.hasRoom(needed)) return last;
    const part = new SharedPart(
      this.#end,
      Math.max(this.partBytes, needed),
      this.#settings.spare,
      this.#settings.memory,
    );
    this.#parts.push(part);
    return part;
  }
}

const NOTHING: SharedFrames = { pieces: [], messages: 0, bytes: 0, done: () => {} };
