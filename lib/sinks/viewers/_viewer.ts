/**
 * One viewer's place: first through the history, then a queue of its own.
 *
 * @module
 */
import type { LogMsg } from "../../log_msg.ts";
import type { History } from "./_history.ts";
import { HistoryCursor } from "./_history_cursor.ts";
import type { Entry } from "./_item.ts";
import type { JoinOptions, Viewer, ViewerGone, ViewerStats } from "./types.ts";

/** What a place needs of the hub. */
export interface ViewerContext {
  readonly history: History;
  readonly queueBytes: number;
  /** Whether a viewer of one recording gets this message. */
  readonly belongs: (msg: LogMsg, recording: string) => boolean;
  readonly onGone: (viewer: HubViewer, reason: ViewerGone) => void;
}

/** A viewer at the hub. */
export class HubViewer implements Viewer {
  readonly left: Promise<ViewerGone>;
  readonly #context: ViewerContext;
  /** `undefined` once it has caught up. */
  #cursor: HistoryCursor | undefined;
  #queue: Entry[] = [];
  /** Of the queue, what was taken. */
  #taken = 0;
  #queuedBytes = 0;
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
    if (options.history !== "none") {
      this.#cursor = new HistoryCursor(context.history, options.order ?? "viewer");
    }
  }

  get gone(): ViewerGone | undefined {
    return this.#gone;
  }

  get caughtUp(): boolean {
    return this.#cursor === undefined;
  }

  get stats(): ViewerStats {
    return {
      id: this.id,
      transport: this.options.transport ?? "websocket",
      addr: this.options.addr,
      caughtUp: this.caughtUp,
      backlog: { messages: this.#queue.length - this.#taken, bytes: this.#queuedBytes },
      sent: { messages: this.#sentMessages, bytes: this.#sentBytes },
    };
  }

  sent(messages: number, bytes: number): void {
    this.#sentMessages += messages;
    this.#sentBytes += bytes;
  }

  async next(maxBytes: number): Promise<readonly LogMsg[] | undefined> {
    while (this.#gone === undefined) {
      const entries = this.#cursor === undefined
        ? this.#dequeue(maxBytes)
        : this.#catchUp(maxBytes);
      if (entries.length > 0) return entries;
      if (this.#isEnding) break;
      if (this.#wake !== undefined) {
        throw new TypeError("next() is called while another call waits");
      }
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return undefined;
  }

  /** Called by the hub with each batch. */
  offer(entries: readonly Entry[]): void {
    // Whoever still goes through the history finds them there.
    if (this.#cursor === undefined) { for (const entry of entries) this.#enqueue(entry); }
    this.rouse();
  }

  /** Gives what waits, and then ends. */
  end(): void {
    this.#isEnding = true;
    this.rouse();
  }

  close(reason: ViewerGone): void {
    if (this.#gone !== undefined) return;
    this.#gone = reason;
    for (const entry of this.#queue.slice(this.#taken)) entry.release();
    this.#queue = [];
    this.#taken = 0;
    this.#queuedBytes = 0;
    this.#context.onGone(this, reason);
    this.#leave(reason);
    this.rouse();
  }

  /** Called by the hub when there may be something for it. */
  rouse(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  #catchUp(maxBytes: number): LogMsg[] {
    const { msgs, isAtEnd } = this.#cursor!.take(maxBytes, (msg) => this.#wants(msg));
    if (isAtEnd) this.#cursor = undefined;
    return msgs;
  }

  #wants(msg: LogMsg): boolean {
    const { recording, accepts } = this.options;
    if (recording !== undefined && !this.#context.belongs(msg, recording)) return false;
    return accepts === undefined || accepts(msg);
  }

  #enqueue(entry: Entry): void {
    if (this.#gone !== undefined || !this.#wants(entry.msg)) return;
    // A message larger than the queue passes where nothing is before it.
    if (this.#queuedBytes > 0 && this.#queuedBytes + entry.bytes > this.#context.queueBytes) {
      return this.close("slow");
    }
    this.#queue.push(entry);
    this.#queuedBytes += entry.bytes;
    entry.hold();
  }

  #dequeue(maxBytes: number): LogMsg[] {
    const msgs: LogMsg[] = [];
    for (let bytes = 0; this.#taken < this.#queue.length; this.#taken++) {
      const entry = this.#queue[this.#taken]!;
      if (bytes > 0 && bytes + entry.bytes > maxBytes) break;
      msgs.push(entry.msg);
      bytes += entry.bytes;
      this.#queuedBytes -= entry.bytes;
      entry.release();
    }
    if (this.#taken * 2 >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#taken);
      this.#taken = 0;
    }
    return msgs;
  }
}
