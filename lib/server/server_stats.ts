/**
 * What a server counts.
 *
 * @module
 */
import { addDropped, type DropCounts } from "../flow/throttle/drop_counts.ts";
import type { Tally } from "../base/tally.ts";
import type { ClientStats } from "./client_stats.ts";
import type { ClientList } from "./client_list.ts";

/** What a server counts. */
export interface ServerStats {
  /** Clients. */
  readonly connections: {
    /** Connected now. */
    readonly open: number;
    /** Connections ever, those of probes and viewers to this port too; those refused not counted. */
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
  /** Dropped since their Arrow data is corrupt; none where `onBadArrow` is `"save"`. */
  readonly badArrow: Tally;
  /** The lowest share of its frames that is accepted of a connected client, 0.01 to 1. */
  readonly acceptRate: number;
  /** What waits in the channel; bytes are those it keeps in memory. */
  readonly queued: Tally;
  /** Bytes held for clients outside of the channel: unfinished packets, and what was read and waits. */
  readonly unfinishedBytes: number;
  /** The clients that are connected. */
  readonly clients: readonly ClientStats[];
}

/**
 * What a server counts, with what its clients count.
 *
 * @param list of the clients that are here
 * @param dropped of those that have left
 * @param own counts of the server
 */
export function serverStats(
  list: ClientList,
  dropped: DropCounts,
  own: Pick<ServerStats, "connections" | "messages" | "bytes" | "queued" | "badArrow">,
): ServerStats {
  const clients = Array.from(list, ({ stats }) => stats).filter((stats) => stats !== undefined);
  return {
    ...own,
    unfinishedBytes: list.unfinishedBytes,
    dropped: clients.reduce((sum, { dropped }) => addDropped(sum, dropped), dropped),
    acceptRate: Math.min(1, ...clients.map(({ acceptRate }) => acceptRate)),
    clients,
  };
}
