import type { ClientStats } from "./client_stats.ts";
import type { OnBadArrow } from "../encoding/arrow/arrow_guard.ts";
import type { DecodeLimits } from "../encoding/limits.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import { CongestionManager } from "../flow/throttle/congestion_manager.ts";
import { NONE_DROPPED } from "../flow/throttle/drop_counts.ts";
import type { ChannelSender } from "../flow/channel/channel_sender.ts";
import { type MessageSource, sourceText } from "../flow/channel/smart_message.ts";
import { formatAddr } from "../base/net_addr.ts";
import type { ClientClockOptions } from "./client_clock.ts";
import type { ListedClient } from "./listed_client.ts";
import type { ResolvedOptions } from "./options.ts";
import { plural } from "../base/plural.ts";

/** What all clients of a server share, however they are connected. */
export interface ReceptionContext {
  readonly options: ResolvedOptions;
  /** Deadlines, with a clock that leaves out the times in which the program stood still. */
  readonly patience: ClientClockOptions;
  /** Called with the bytes of each read. */
  readonly onRead: (bytes: number) => void;
  /** Called with the bytes, estimated, of objects that are garbage soon and are not messages. */
  readonly onGarbage: (bytes: number) => void;
  /**
   * Called when what is held for a client outside of the channel grows or shrinks, by so many
   * bytes.
   */
  readonly onUnfinished: (more: number) => void;
  /**
   * Called once a client has shown that it is an SDK; gives what to wait for if there is no place
   * for it.
   */
  readonly onGreeted: (client: ListedClient) => Promise<void> | undefined;
  /** Called with what was read of a client that waits for a place, in bytes. */
  readonly onHeld: (client: ListedClient, bytes: number) => void;
  /** Called with the totals of each batch that is received. */
  readonly onReceived: (messages: number, bytes: number) => void;
  /** Called with the bytes of each message that is dropped for its corrupt Arrow data. */
  readonly onBadArrow: (bytes: number) => void;
}

/**
 * What is the same for all clients: their counts, what is dropped, what is held, and what the log
 * says.
 */
export class Reception {
  readonly sender: ChannelSender;
  readonly #context: ReceptionContext;
  #messages = 0;
  #bytes = 0;
  /** Made with the first message, for most of many idle clients never send one. */
  #throttle: CongestionManager | undefined;
  /** Bytes that are held for it outside of the channel, as counted last. */
  #held = 0;

  /**
   * @param sender the client's end of the channel
   * @param context what it shares with the others
   */
  constructor(sender: ChannelSender, context: ReceptionContext) {
    this.sender = sender;
    this.#context = context;
  }

  /** Who this client is. */
  get source(): MessageSource {
    return this.sender.source;
  }

  /** The client's address, as the log shows it. */
  get addr(): string {
    const { addr } = this.source;
    return addr === undefined ? sourceText(this.source) : formatAddr(addr);
  }

  /** Counts so far. */
  get stats(): ClientStats {
    return {
      source: this.source,
      messages: this.#messages,
      bytes: this.#bytes,
      latencySec: this.sender.latencySec,
      acceptRate: this.#throttle?.acceptRate ?? 1,
      dropped: this.#throttle?.dropped ?? NONE_DROPPED,
    };
  }

  /** Limits of what messages may hold. */
  get limits(): DecodeLimits {
    return this.#context.options;
  }

  /** What is done with corrupt Arrow data. */
  get onBadArrow(): OnBadArrow {
    return this.#context.options.onBadArrow;
  }

  /** Decides which of its messages are dropped. */
  get congestion(): CongestionManager {
    if (this.#throttle !== undefined) return this.#throttle;
    const { maxLatencySec, rules, now, random, log } = this.#context.options;
    return this.#throttle = new CongestionManager({
      maxLatencySec,
      rules,
      now,
      random,
      log: {
        enabled: (level) => log.enabled(level),
        write: (level, text, fields) =>
          log.write(level, `${text} (client at ${this.addr})`, {
            ...fields,
            client: this.addr,
            kind: "dropping",
          }),
      },
    });
  }

  /** Takes note of a message that was taken out for its corrupt Arrow data. */
  corrupt(msg: LogMsg, what: string): void {
    const { length } = msg.encoded.bytes;
    this.#context.onBadArrow(length);
    const text = `Dropped a message of ${
      plural(length, "byte")
    } of the client at ${this.addr}: ${what}`;
    const { log } = this.#context.options;
    log.write("warn", text, { client: this.addr, kind: "corrupt Arrow" });
  }

  /** Takes note of messages that go into the channel. */
  received(msgs: readonly LogMsg[]): void {
    let bytes = 0;
    for (const msg of msgs) bytes += msg.encoded.bytes.length;
    this.#messages += msgs.length;
    this.#bytes += bytes;
    this.#context.onReceived(msgs.length, bytes);
  }

  /** Takes note that so many bytes are held for it outside of the channel now. */
  holds(bytes: number): void {
    if (bytes === this.#held) return;
    const more = bytes - this.#held;
    this.#held = bytes;
    this.#context.onUnfinished(more);
  }

  /** Says in the log that it is an SDK, and has a place. */
  welcome(how = ""): void {
    const { log, quiet } = this.#context.options;
    const text = `New SDK client connected from: ${this.addr}${how}`;
    log.write(quiet || this.source.isForwarded ? "debug" : "info", text, {
      client: this.addr,
      kind: "connected",
    });
  }

  /** Ends this client for a mistake of our own, and asks in the log to report it. */
  bug(cause: unknown): void {
    const stack = cause instanceof Error ? cause.stack : String(cause);
    const text = `A bug of this server ended the client at ${this.addr}: ${stack}`;
    this.#context.options.log.write("error", text, { client: this.addr, kind: "bug" });
    this.sender.quit(cause instanceof Error ? cause : new Error(String(cause)));
  }

  /** To be called when it has left. */
  finish(): void {
    this.#throttle?.finish();
    this.holds(0);
  }
}
