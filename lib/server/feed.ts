/**
 * Feeds: what brings messages to a server besides its own connections, such as a stream in NATS.
 *
 * @module
 */
import { reason } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
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
 * Ends feeds. Never rejects, so that a feed that can't be ended keeps nobody from ending the rest.
 *
 * @param feeds that are ended at one time
 * @param log told of what they threw
 */
export async function closeFeeds(feeds: readonly Feed[], log: Log): Promise<void> {
  const ends = await Promise.allSettled(feeds.map(async (feed) => await feed.close()));
  for (const end of ends) {
    if (end.status === "fulfilled") continue;
    const text = `A feed could not be ended: ${reason(end.reason)}`;
    log.write("error", text, { kind: "feed not ended" });
  }
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
