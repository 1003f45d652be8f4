import type { LogMsg } from "../../encoding/log_msg.ts";
import { ClientQueue, type Entry } from "./client_queue.ts";
import type { MessageSource } from "./smart_message.ts";

/** What a sender asks of its channel. */
interface Channel {
  readonly now: () => number;
  put(sender: ChannelSender, msgs: readonly LogMsg[], quit?: Entry["quit"]): void;
  filled(sender: ChannelSender): number;
  pause(sender: ChannelSender): void;
  /** A short wait for a receiver that is behind. */
  ahead(sender: ChannelSender): Promise<void> | undefined;
}

/** One client's end of the smart channel. */
export class ChannelSender {
  /**
   * What of this client waits; the channel's.
   *
   * @internal
   */
  readonly queue: ClientQueue;
  /** Bytes that its waiting messages keep alive. */
  bytes = 0;
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
    if (this.filled < 1) return this.#channel.ahead(this);
    return new Promise((resolve) => {
      this.#resume = resolve;
      this.#channel.pause(this);
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
