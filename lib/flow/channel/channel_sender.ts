import type { Clock } from "../../base/clock.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { ClientQueue, Entry } from "./client_queue.ts";
import { MESSAGE_OVERHEAD_BYTES, type Pinned, pinnedBy } from "./pinned_bytes.ts";
import type { MessageSource } from "./smart_message.ts";

/** What a sender asks of its channel; the queue says which client asks. */
export interface SenderChannel {
  readonly now: Clock["now"];
  /** Takes messages, and what they keep alive if it is known. */
  put(
    queue: ClientQueue,
    msgs: readonly LogMsg[],
    pinned: Pinned | undefined,
    quit?: Entry["quit"],
  ): void;
  /** How much of its share a client holds, 0 to 1. */
  filled(queue: ClientQueue): number;
  /** Gives a promise to wait for by a client whose share is full. */
  pause(queue: ClientQueue): Promise<void>;
  /** Gives a promise to wait for if messages of this client have waited for too long. */
  behind(queue: ClientQueue): Promise<void> | undefined;
  /** Gives a promise to wait for, for a moment, if the receiver is behind. */
  ahead(): Promise<void> | undefined;
  /** Bytes that fit beside those that others were promised. */
  free(queue: ClientQueue): number;
  /** Whether nothing of other clients waits, and nothing is promised to them. */
  isEmpty(queue: ClientQueue): boolean;
  waitForRoom(queue: ClientQueue, bytes: number): Promise<void>;
  releaseRoom(queue: ClientQueue): void;
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
  /** Whether the client waits until its own messages are taken, and not just for its turn. */
  isPaused = false;
  readonly #queue: ClientQueue;
  readonly #channel: SenderChannel;
  /** What the messages keep alive that room was asked for and that are about to be sent. */
  #measured: { readonly msgs: readonly LogMsg[]; readonly pinned: Pinned } | undefined;

  /**
   * Made by the channel.
   *
   * @internal
   * @param queue the client's in the channel
   * @param channel where the messages go
   */
  constructor(queue: ClientQueue, channel: SenderChannel) {
    this.#queue = queue;
    this.#channel = channel;
  }

  /** The client that the messages come from. */
  get source(): MessageSource {
    return this.#queue.source;
  }

  /** How much of its share of the channel this client holds, 0 to 1. */
  get filled(): number {
    return this.#channel.filled(this.#queue);
  }

  /** Bytes that may be sent now; below 0 where there are too many already. */
  get free(): number {
    return this.#channel.free(this.#queue);
  }

  /**
   * Whether nothing else waits, so that a message may be sent that is larger than the channel's
   * limit.
   */
  get isEmpty(): boolean {
    return this.#channel.isEmpty(this.#queue);
  }

  /**
   * How far the receiver is behind with this client, in seconds: the age of its oldest waiting
   * message or what the last one it received had waited, whichever is more; 0 if none waits.
   */
  get latencySec(): number {
    return this.#queue.latencySec(this.#channel.now());
  }

  /**
   * Puts messages into the channel.
   *
   * @returns a promise where the client must wait before it sends more
   */
  send(msgs: readonly LogMsg[]): Promise<void> | undefined {
    if (msgs.length === 0) return undefined;
    const pinned = this.#measured?.msgs === msgs ? this.#measured.pinned : undefined;
    this.#measured = undefined;
    this.#channel.put(this.#queue, msgs, pinned);
    this.isPaused = false;
    if (this.filled < 1) {
      const taken = this.#channel.behind(this.#queue);
      this.isPaused = taken !== undefined;
      return taken ?? this.#channel.ahead();
    }
    this.isPaused = true;
    return this.#channel.pause(this.#queue);
  }

  /**
   * The room that messages have to wait for before they are sent, in bytes; 0 where they may be sent.
   *
   * @param msgs that would be sent at once
   */
  lacking(msgs: readonly LogMsg[]): number {
    let bytes = msgs.length * MESSAGE_OVERHEAD_BYTES;
    const pinned = pinnedBy(msgs);
    this.#measured = { msgs, pinned };
    for (const buffer of pinned.buffers) bytes += buffer.byteLength;
    return bytes <= this.free || this.isEmpty ? 0 : bytes;
  }

  /**
   * Waits for room, first come first served; it is promised to this client until it has sent.
   *
   * @param bytes that the next messages keep alive; more than the limit fits into an empty channel
   */
  waitForRoom(bytes: number): Promise<void> {
    return this.#channel.waitForRoom(this.#queue, bytes);
  }

  /** Gives back the room that it was promised and does not need. */
  releaseRoom(): void {
    if (this.#queue.promised > 0) this.#channel.releaseRoom(this.#queue);
  }

  /**
   * This sender as a stream, the end of the chain: it takes no more than there is room for, closing it
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
    this.#channel.put(this.#queue, [], undefined, error === undefined ? {} : { error });
  }
}
