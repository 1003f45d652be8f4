/**
 * Counts of a server.
 *
 * @module
 */
import { addDropped, type DropCounts, NONE_DROPPED } from "../flow/throttle/drop_counts.ts";
import type { Tally } from "../base/tally.ts";
import type { ClientStats } from "./client_stats.ts";

/** Counts of a server, over all clients and of each. */
export interface ServerStats {
  /** Its connections. */
  readonly connections: {
    /** How many clients are connected now. */
    readonly open: number;
    /** How many ever connected, probes and viewers at this port included; without those refused. */
    readonly total: number;
    /** Refused for the address they came from: not allowed, too many, too often. */
    readonly refused: number;
  };
  /** Log messages received, from all clients ever, but for those dropped. */
  readonly messages: number;
  /** Bytes of these messages. */
  readonly bytes: number;
  /** What was dropped, of all clients ever, to keep the latency low or for want of room. */
  readonly dropped: DropCounts;
  /** What was dropped for corrupt Arrow data; nothing if `onBadArrow` is `"save"`. */
  readonly badArrow: Tally;
  /**
   * The share of the frames that is accepted, 0.01 to 1, of the connected client with the lowest
   * one.
   */
  readonly acceptRate: number;
  /** What waits in the channel; its bytes are those that it keeps in memory. */
  readonly queued: Tally;
  /** Bytes held for clients outside of the channel: unfinished packets, and what was read and waits. */
  readonly unfinishedBytes: number;
  /** The clients that are connected. */
  readonly clients: readonly ClientStats[];
}

/** Counts of a server over all clients that were ever there. */
export class ServerCounts {
  connected = 0;
  refused = 0;
  messages = 0;
  bytes = 0;
  readonly #badArrow = { messages: 0, bytes: 0 };
  /** What was dropped of clients that have left. */
  #dropped: DropCounts = NONE_DROPPED;

  /** Takes note of messages that came. */
  received(messages: number, bytes: number): void {
    this.messages += messages;
    this.bytes += bytes;
  }

  /** Takes note of a message that was dropped for its corrupt data. */
  badArrow(bytes: number): void {
    this.#badArrow.messages++;
    this.#badArrow.bytes += bytes;
  }

  /** Takes note of a client that has left. */
  left(stats: ClientStats | undefined): void {
    if (stats !== undefined) this.#dropped = addDropped(this.#dropped, stats.dropped);
  }

  /**
   * All counts up to now.
   *
   * @param list of clients that are connected
   * @param now the values of this moment
   */
  stats(
    list: readonly { readonly stats: ClientStats | undefined }[],
    { open, ...now }: Pick<ServerStats, "queued" | "unfinishedBytes"> & { readonly open: number },
  ): ServerStats {
    const clients = list.map(({ stats }) => stats).filter((stats) => stats !== undefined);
    return {
      ...now,
      connections: { open, total: this.connected, refused: this.refused },
      messages: this.messages,
      bytes: this.bytes,
      dropped: clients.reduce((sum, { dropped }) => addDropped(sum, dropped), this.#dropped),
      badArrow: { ...this.#badArrow },
      acceptRate: Math.min(1, ...clients.map(({ acceptRate }) => acceptRate)),
      clients,
    };
  }
}
