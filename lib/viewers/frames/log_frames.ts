/**
 * Makes WebSocket frames of older parts of the log. Viewers that are behind are mostly at about the
 * same place, and share them.
 *
 * @module
 */
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { Item } from "../log/item.ts";
import { Slab } from "../log/slab.ts";
import type { SharedFrames } from "../types.ts";
import { type FrameSettings, Wire } from "./wire.ts";
import { PART_BYTES } from "./wire_parts.ts";

/** How many slabs' frames are kept, of about 288 KiB each. */
const MAX_SLABS = 8;

/** Bytes that a frame may need in addition to its message. */
const FRAME_BYTES = 64;

/** Makes frames of messages that are not at the live edge. */
export class LogFrames {
  /** By slab; the one that was asked for last is at the end. */
  readonly #slabs = new Map<Slab, Wire>();
  readonly #settings: FrameSettings;

  constructor(settings: FrameSettings) {
    this.#settings = settings;
  }

  /**
   * Gives the frames of items of the log, one after another.
   *
   * @param items each with the place from which its messages are wanted
   * @param isOpen whether messages may still be added to one
   */
  of(items: readonly [Item, from: number][], isOpen: (slab: Slab) => boolean): SharedFrames {
    const taken: SharedFrames[] = [];
    let others: LogMsg[] = [];
    const flush = () => {
      if (others.length > 0) taken.push(this.make(others));
      others = [];
    };
    for (const [item, from] of items) {
      if (item instanceof Slab && from <= item.seq && !isOpen(item)) {
        flush();
        taken.push(this.#ofSlab(item));
      } else others.push(...item.from(from));
    }
    flush();
    return joined(taken);
  }

  /** Makes frames of messages that no other viewer wants in this selection. */
  make(msgs: readonly LogMsg[]): SharedFrames {
    let bytes = 0;
    for (const { encoded } of msgs) bytes += encoded.bytes.length + FRAME_BYTES;
    const wire = this.#wire(msgs, Math.min(bytes, PART_BYTES));
    const { frames } = wire.takeAll();
    wire.clear();
    return frames;
  }

  #ofSlab(slab: Slab): SharedFrames {
    const wire = this.#slabs.get(slab) ?? this.#wire(slab.from(slab.seq), PART_BYTES);
    this.#slabs.delete(slab);
    this.#slabs.set(slab, wire);
    const { frames } = wire.takeAll();
    if (this.#slabs.size > MAX_SLABS) this.#forget(this.#slabs.keys().next().value!);
    return frames;
  }

  /** Drops all, when no viewer goes through the log. */
  clear(): void {
    for (const slab of this.#slabs.keys()) this.#forget(slab);
  }

  #wire(msgs: readonly LogMsg[], partBytes: number): Wire {
    const wire = new Wire(Infinity, this.#settings, partBytes);
    wire.push(msgs, 0);
    return wire;
  }

  #forget(slab: Slab): void {
    this.#slabs.get(slab)?.clear();
    this.#slabs.delete(slab);
  }
}

function joined(all: readonly SharedFrames[]): SharedFrames {
  if (all.length === 1) return all[0]!;
  return {
    pieces: all.flatMap(({ pieces }) => pieces),
    messages: all.reduce((sum, { messages }) => sum + messages, 0),
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    done() {
      for (const { done } of all) done();
    },
  };
}
