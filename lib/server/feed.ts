/**
 * What brings messages to a server besides its connections, such as a stream in NATS.
 *
 * @module
 */
import type { ChannelSender } from "../flow/channel/channel_sender.ts";
import type { MessageSource, SmartMessage } from "../flow/channel/smart_message.ts";
import type { ClientStats } from "./client_stats.ts";
import type { ReceptionContext } from "./reception.ts";

/** What a server gives to those that bring messages. */
export interface FeedHost {
  /** Options and accounts that all clients share. */
  readonly context: ReceptionContext;
  /** The end of the channel for whom messages come from. */
  sender(source: MessageSource): ChannelSender;
  /** Gives the next client its number. */
  nextId(): number;
}

/** Brings messages, as if those that they come from had connected. */
export interface Feed {
  /**
   * Begins; called once, by `server.join`.
   *
   * @internal
   */
  start(host: FeedHost): void;
  /** Those whose messages it brings. */
  readonly clients: readonly { readonly stats: ClientStats }[];
  /** Told of all that was received, behind all that is written: what is there need not come again. */
  received(batch: readonly SmartMessage[]): void;
  /** Ends it: whose messages it brings have left, and nothing more comes. */
  close(): Promise<void>;
}
