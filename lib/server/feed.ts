/**
 * Feeds: what brings messages to a server besides its own connections, such as a stream in NATS.
 *
 * @module
 */
import { checkGiven, hasMethods } from "../base/check_arguments.ts";
import type { ChannelSender } from "../flow/channel/channel_sender.ts";
import type { MessageSource, SmartMessage } from "../flow/channel/smart_message.ts";
import type { ClientStats } from "./client_stats.ts";
import type { ReceptionContext } from "./reception.ts";

/** What a server gives to a feed. */
export interface FeedHost {
  /** Options and accounts that all clients share. */
  readonly context: ReceptionContext;
  /** Makes the end of the channel through which the messages of one source are sent. */
  sender(source: MessageSource): ChannelSender;
  /** Gives the next client its number. */
  nextId(): number;
}

/** Brings messages, as if their sources had connected. */
export interface Feed {
  /**
   * Begins; called once, by `server.join`.
   *
   * @internal
   */
  start(host: FeedHost): void;
  /** The sources whose messages it brings, with their counts. */
  readonly clients: readonly { readonly stats: ClientStats }[];
  /** Called with all messages that were received and written, so that they need not come again. */
  received(batch: readonly SmartMessage[]): void;
  /** Ends the feed: all of its sources leave, and nothing more comes. */
  close(): Promise<void>;
}

/**
 * Refuses what is no feed.
 *
 * @param feed what was passed to `join`
 * @throws {TypeError} that says what it takes
 */
export function checkFeed(feed: unknown): void {
  const isFeed = hasMethods(feed, "start", "received", "close");
  checkGiven("join", "a feed, such as fromNats() gives", isFeed, feed);
}
