import { guardArrow } from "../encoding/arrow/arrow_guard.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import { Throttle } from "../flow/throttle/throttle.ts";
import type { ChannelSender } from "../flow/channel/channel_sender.ts";
import type { ClientStats } from "./client_stats.ts";
import { Reception, type ReceptionContext } from "./reception.ts";

/**
 * A box whose messages come by a feed: a client like any other, but without a connection of its
 * own.
 */
export class BoxClient {
  readonly #reception: Reception;
  readonly #context: ReceptionContext;
  #throttle: Throttle | undefined;

  /**
   * @param sender its end of the channel
   * @param context what it shares with other clients
   */
  constructor(sender: ChannelSender, context: ReceptionContext) {
    this.#reception = new Reception(sender, context);
    this.#context = context;
  }

  get stats(): ClientStats {
    return this.#reception.stats;
  }

  /** Says in the log that the box was heard of for the first time. */
  welcome(): void {
    this.#reception.welcome();
  }

  /**
   * Takes messages that came, and puts those that are not dropped into the channel.
   *
   * @param msgs in their order
   * @param onSent called with how many go into the channel, before any of them can be received
   * @returns resolves when more may come
   */
  async take(msgs: readonly LogMsg[], onSent: (count: number) => void): Promise<void> {
    const items = this.#accepted(msgs);
    if (items.length === 0) return onSent(0);
    const { sender } = this.#reception;
    const lacking = sender.lacking(items);
    if (lacking > 0) await sender.waitForRoom(lacking);
    let bytes = 0;
    for (const { encoded } of items) bytes += encoded.bytes.length;
    this.#context.onRead(bytes);
    this.#reception.received(items);
    onSent(items.length);
    const mayGoOn = sender.send(items);
    sender.releaseRoom();
    await mayGoOn;
  }

  #accepted(msgs: readonly LogMsg[]): readonly LogMsg[] {
    const { onBadArrow, congestion, sender } = this.#reception;
    let items = msgs;
    if (onBadArrow !== "save") {
      // There is no connection to close, so `onBadArrow: "close"` means `"drop"` here: what is
      // corrupt is left out, and logged.
      items = guardArrow([...msgs], "drop", (msg, what) =>
        this.#reception.corrupt(msg, what)).items;
    }
    if (!congestion.isBounded) return items;
    this.#throttle ??= new Throttle(congestion, sender);
    return this.#throttle.push([...items]).items;
  }

  /** The box has left: its last word goes into the channel. */
  quit(): void {
    this.#reception.sender.quit();
    this.#reception.finish();
  }
}
