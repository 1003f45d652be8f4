/**
 * One viewer's place: in the history first, then at the live edge. It holds no message, so that many
 * viewers, slow ones too, cost no more memory than the history has.
 *
 * @module
 */
import type { LogMsg } from "../encoding/log_msg.ts";
import type { History } from "./history/history.ts";
import { HistoryCursor } from "./history/history_cursor.ts";
import type { Recent } from "./history/recent.ts";
import type { JoinOptions, SharedFrames, Viewer, ViewerGone, ViewerStats } from "./types.ts";
import type { Item } from "./history/item.ts";
import type { HistoryFrames } from "./frames/history_frames.ts";
import type { Wire } from "./frames/wire.ts";
import type { Place } from "./frames/wire_parts.ts";

/** What a place needs of the hub. */
export interface ViewerContext {
  readonly history: History;
  readonly recent: Recent;
  readonly wire: Wire;
  readonly frames: HistoryFrames;
  readonly queueBytes: number;
  /** Whether a viewer of one recording gets this message. */
  readonly belongs: (msg: LogMsg, recording: string) => boolean;
  readonly onGone: (viewer: HubViewer, reason: ViewerGone) => void;
}

/** A viewer at the hub. */
export class HubViewer implements Viewer {
  readonly left: Promise<ViewerGone>;
  readonly #context: ViewerContext;
  readonly #cursor: HistoryCursor;
  #caughtUp = false;
  /** On the wire; `undefined` while it is not there. */
  #place: Place | undefined;
  /** What came for it since it caught up, and was not given yet. */
  #waiting = { messages: 0, bytes: 0 };
  #sentMessages = 0;
  #sentBytes = 0;
  #isEnding = false;
  #gone: ViewerGone | undefined;
  readonly #leave: (reason: ViewerGone) => void;
  #wake: (() => void) | undefined;

  constructor(readonly id: number, readonly options: JoinOptions, context: ViewerContext) {
    this.#context = context;
    const { promise, resolve } = Promise.withResolvers<ViewerGone>();
    this.left = promise;
    this.#leave = resolve;
    this.#cursor = new HistoryCursor(context.history, options.order ?? "viewer");
    if (options.history === "none") this.#catchUp();
  }

  get gone(): ViewerGone | undefined {
    return this.#gone;
  }

  get caughtUp(): boolean {
    return this.#caughtUp;
  }

  get stats(): ViewerStats {
    return {
      id: this.id,
      transport: this.options.transport ?? "websocket",
      addr: this.options.addr,
      caughtUp: this.caughtUp,
      backlog: { ...this.#waiting },
      sent: { messages: this.#sentMessages, bytes: this.#sentBytes },
    };
  }

  /** Where it is on the wire, if it is. */
  get place(): Place | undefined {
    return this.#place;
  }

  sent(messages: number, bytes: number): void {
    this.#sentMessages += messages;
    this.#sentBytes += bytes;
  }

  next(maxBytes: number): Promise<readonly LogMsg[] | undefined> {
    return this.#await(() => {
      const msgs = this.#take(maxBytes);
      return msgs.length > 0 ? msgs : undefined;
    });
  }

  nextFrames(maxBytes: number): Promise<SharedFrames | undefined> {
    return this.#await(() => {
      while (this.#gone === undefined) {
        const frames = this.#takeFrames(maxBytes);
        if (frames === undefined || frames.pieces.length > 0) return frames;
        // No frame was made of what came; on the wire, nothing has come.
        if (this.#place !== undefined) break;
      }
      return undefined;
    });
  }

  /**
   * Called by the hub with each batch: whoever still goes through the history finds it there.
   *
   * @param msgs of the batch
   * @param total their bytes
   */
  note(msgs: readonly LogMsg[], total: number): void {
    if (!this.#caughtUp) return;
    const { bytes } = this.#waiting;
    if (this.#getsAll && bytes + total <= this.#context.queueBytes) {
      this.#waiting.messages += msgs.length;
      this.#waiting.bytes += total;
    } else this.#noteEach(msgs);
  }

  /** Gives what waits, and then ends. */
  end(): void {
    this.#isEnding = true;
    this.rouse();
  }

  close(reason: ViewerGone): void {
    if (this.#gone !== undefined) return;
    this.#gone = reason;
    this.#waiting = { messages: 0, bytes: 0 };
    this.#context.onGone(this, reason);
    this.#leave(reason);
    this.rouse();
  }

  /** Called by the hub when there may be something for it. */
  rouse(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  async #await<T>(take: () => T | undefined): Promise<T | undefined> {
    while (this.#gone === undefined) {
      const taken = take();
      if (taken !== undefined) return taken;
      if (this.#isEnding) break;
      if (this.#wake !== undefined) {
        throw new TypeError("next() is called while another call waits");
      }
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return undefined;
  }

  #noteEach(msgs: readonly LogMsg[]): void {
    for (const msg of msgs) {
      if (!this.#wants(msg, this.options.onLeftOut)) continue;
      const { length } = msg.encoded.bytes;
      const { bytes } = this.#waiting;
      // A message larger than the queue passes where nothing is before it.
      if (bytes > 0 && bytes + length > this.#context.queueBytes) return this.close("slow");
      this.#waiting.messages++;
      this.#waiting.bytes += length;
    }
  }

  get #getsAll(): boolean {
    return this.options.recording === undefined && this.options.accepts === undefined;
  }

  #take(maxBytes: number): LogMsg[] {
    return this.#caughtUp ? this.#takeLive(maxBytes) : this.#takeHistory(maxBytes);
  }

  #takeFrames(maxBytes: number): SharedFrames | undefined {
    if (this.#getsAll) return this.#takeWire(maxBytes) ?? this.#takeHistoryFrames(maxBytes);
    const msgs = this.#take(maxBytes);
    return msgs.length === 0 ? undefined : this.#context.frames.make(msgs).frames;
  }

  /** `undefined`: it is not on the wire. */
  #takeWire(maxBytes: number): SharedFrames | undefined {
    const { wire, history } = this.#context;
    if (this.#place === undefined) {
      if (!this.#caughtUp || this.#waiting.messages > 0) return undefined;
      this.#place = wire.join(history.memory.lastSeq);
    }
    const taken = wire.take(this.#place, maxBytes);
    if (taken === undefined) {
      this.#cursor.moveTo(this.#place.seq);
      this.#place = undefined;
      return undefined;
    }
    this.#waiting.messages -= taken.to.messages - this.#place.messages;
    this.#waiting.bytes -= taken.to.bytes - this.#place.bytes;
    this.#place = taken.to;
    return taken.frames;
  }

  #takeHistoryFrames(maxBytes: number): SharedFrames {
    const { frames, history } = this.#context;
    const items: [Item, number][] = [];
    const isAtEnd = this.#cursor.walk(maxBytes, (item, from) => {
      items.push([item, from]);
      return item.bytes;
    });
    const taken = frames.of(items, (slab) => history.isOpen(slab));
    if (!this.#caughtUp) {
      if (isAtEnd) this.#catchUp();
    } else {
      for (const { to } of taken) {
        this.#waiting.messages -= to.messages;
        this.#waiting.bytes -= to.bytes;
      }
      // What it waits for has gone out of the history, which is smaller than its queue.
      if (taken.length === 0) this.close("slow");
    }
    return joined(taken.map(({ frames }) => frames));
  }

  #catchUp(): void {
    this.#caughtUp = true;
    this.#cursor.moveTo(this.#context.history.memory.lastSeq);
  }

  #takeHistory(maxBytes: number): LogMsg[] {
    const { onLeftOut } = this.options;
    const { msgs, isAtEnd } = this.#cursor.take(maxBytes, (msg) => this.#wants(msg, onLeftOut));
    if (isAtEnd) this.#catchUp();
    return msgs;
  }

  #takeLive(maxBytes: number): LogMsg[] {
    if (this.#waiting.messages === 0) {
      this.#cursor.moveTo(this.#context.history.memory.lastSeq);
      return [];
    }
    const msgs = this.#takeRecent(maxBytes) ??
      this.#cursor.take(maxBytes, (msg) => this.#wants(msg)).msgs;
    for (const { encoded } of msgs) this.#waiting.bytes -= encoded.bytes.length;
    this.#waiting.messages -= msgs.length;
    // What it waits for has gone out of the history, which is smaller than its queue.
    if (msgs.length === 0) this.close("slow");
    return msgs;
  }

  #takeRecent(maxBytes: number): LogMsg[] | undefined {
    const entries = this.#context.recent.from(this.#cursor.at + 1);
    if (entries === undefined) return undefined;
    const msgs: LogMsg[] = [];
    let bytes = 0;
    for (const { msg, seq, bytes: size } of entries) {
      if (this.#wants(msg)) {
        if (bytes > 0 && bytes + size > maxBytes) break;
        msgs.push(msg);
        bytes += size;
      }
      this.#cursor.moveTo(seq);
    }
    return msgs;
  }

  #wants(msg: LogMsg, onLeftOut?: () => void): boolean {
    const { recording, accepts } = this.options;
    if (recording !== undefined && !this.#context.belongs(msg, recording)) return false;
    if (accepts === undefined || accepts(msg)) return true;
    onLeftOut?.();
    return false;
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
