import type { LogMsg } from "../../encoding/log_msg.ts";
import { ClientQueue, type Entry } from "./client_queue.ts";
import { MESSAGE_OVERHEAD_BYTES, pinnedBy } from "./pinned_bytes.ts";
import type { MessageSource } from "./smart_message.ts";

/** What a sender asks of its channel. */
interface Channel {
  readonly now: () => number;
  put(sender: ChannelSender, msgs: readonly LogMsg[], quit?: Entry["quit"]): void;
  filled(sender: ChannelSender): number;
  pause(sender: ChannelSender): void;
  /** A wait for what this client sent, where that has waited for too long. */
  behind(sender: ChannelSender): Promise<void> | undefined;
  /** A short wait for a receiver that is behind. */
  ahead(): Promise<void> | undefined;
  /** Bytes that fit beside what others were promised. */
  free(sender: ChannelSender): number;
  isEmpty(sender: ChannelSender): boolean;
  waitForRoom(sender: ChannelSender, bytes: number): Promise<void>;
  releaseRoom(sender: ChannelSender): void;
}

/**
 * One client's end of the smart channel.
 *
 * @example
 * ```ts
 * import { SmartChannel } from "@rerelay/server/flow";
 * import { assertEquals } from "@std/assert";
 *
 * const channel = new SmartChannel();
 * const sender = channel.sender({ kind: "tcp-client", id: 1 });
 * sender.quit(new Error("unplugged"));
 * const [message] = channel.take()!;
 * assertEquals(message?.payload.type, "quit");
 * assertEquals(sender.latencySec, 0); // nothing of it waits
 * ```
 */
export class ChannelSender {
  /**
   * What of this client waits; the channel's.
   *
   * @internal
   */
  readonly queue: ClientQueue;
  /** Bytes that its waiting messages keep alive. */
  bytes = 0;
  /**
   * Bytes of room that it was promised; the channel's.
   *
   * @internal
   */
  promised = 0;
  /** Whether it waits for its own messages to be taken, not just for its turn. */
  isPaused = false;
  readonly #channel: Channel;
  #lastLatency = 0;
  #resume: (() => void) | undefined;

  /**
   * Made by the channel.
   *
   * @internal
   * @param source whom the messages come from
   * @param channel where they go
   */
  constructor(readonly source: MessageSource, channel: Channel) {
    this.queue = new ClientQueue(source);
    this.#channel = channel;
  }

  /** How much of its share of the channel this client holds, 0 to 1. */
  get filled(): number {
    return this.#channel.filled(this);
  }

  /** Bytes that may be sent now; below 0 where there are too many already. */
  get free(): number {
    return this.#channel.free(this);
  }

  /** Whether nothing else waits, so that what is larger than the channel may be sent. */
  get isEmpty(): boolean {
    return this.#channel.isEmpty(this);
  }

  /**
   * How far the receiver is behind with this client, in seconds: the age of its oldest waiting
   * message or what the last one it received had waited, whichever is more; 0 if none waits.
   */
  get latencySec(): number {
    const { first } = this.queue;
    if (first === undefined) return 0;
    return Math.max(this.#channel.now() - first.time, this.#lastLatency) / 1000;
  }

  /**
   * Puts messages into the channel.
   *
   * @returns a promise where the client must wait before it sends more
   */
  send(msgs: readonly LogMsg[]): Promise<void> | undefined {
    if (msgs.length === 0) return undefined;
    this.#channel.put(this, msgs);
    this.isPaused = false;
    if (this.filled < 1) {
      const taken = this.#channel.behind(this);
      this.isPaused = taken !== undefined;
      return taken ?? this.#channel.ahead();
    }
    this.isPaused = true;
    return new Promise((resolve) => {
      this.#resume = resolve;
      this.#channel.pause(this);
    });
  }

  /**
   * The room that messages have to wait for before they are sent, in bytes; 0 where they may be sent.
   *
   * @param msgs that would be sent at once
   */
  lacking(msgs: readonly LogMsg[]): number {
    let bytes = msgs.length * MESSAGE_OVERHEAD_BYTES;
    for (const buffer of pinnedBy(msgs).buffers) bytes += buffer.byteLength;
    return bytes <= this.free || this.isEmpty ? 0 : bytes;
  }

  /**
   * Waits for room, first come first served; it is promised to this client until it has sent.
   *
   * @param bytes that the next messages keep alive; more than the limit fits into an empty channel
   */
  waitForRoom(bytes: number): Promise<void> {
    return this.#channel.waitForRoom(this, bytes);
  }

  /** Gives back what it was promised and does not need. */
  releaseRoom(): void {
    if (this.promised > 0) this.#channel.releaseRoom(this);
  }

  /**
   * The same as a stream, the end of the chain: it takes no more than there is room for, closing it
   * is the client's leave, and what it is aborted with is why the client was left.
   */
  get writable(): WritableStream<readonly LogMsg[]> {
    return new WritableStream({
      write: async (msgs) => {
        const lacking = this.lacking(msgs);
        if (lacking > 0) await this.waitForRoom(lacking);
        const mayGoOn = this.send(msgs);
        this.releaseRoom();
        await mayGoOn;
      },
      close: () => this.quit(),
      abort: (reason) => this.quit(reason instanceof Error ? reason : new Error(String(reason))),
    });
  }

  /** The client's last word: never held back, and received after its messages. */
  quit(error?: Error): void {
    this.#channel.put(this, [], error === undefined ? {} : { error });
  }

  /** Called by the channel: a message was received that was sent at this time (milliseconds). */
  received(time: number): void {
    this.#lastLatency = this.#channel.now() - time;
  }

  /** Called by the channel: the client may go on. */
  resume(): void {
    this.#resume?.();
    this.#resume = undefined;
  }
}
