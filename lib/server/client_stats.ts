import type { MessageSource } from "../flow/channel/smart_message.ts";
import type { DropCounts } from "../flow/throttle/drop_counts.ts";

/** Counts of one connected client. */
export interface ClientStats {
  /** Who it is. */
  readonly source: MessageSource;
  /** Log messages received, without those that were dropped. */
  readonly messages: number;
  /** Their bytes as they came. */
  readonly bytes: number;
  /** How far the receiver is behind with this client, in seconds. */
  readonly latencySec: number;
  /** The share of its frames that is accepted now, 0.01 to 1. */
  readonly acceptRate: number;
  /** What was dropped of it. */
  readonly dropped: DropCounts;
}
