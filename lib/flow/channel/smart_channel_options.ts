import type { OptionNames } from "../../base/check_arguments.ts";
import type { Clock } from "../../base/clock.ts";
import type { BufferPool } from "../../memory/buffer_pool.ts";

/** Options of {@linkcode SmartChannel}. */
export interface SmartChannelOptions {
  /** Bytes that waiting messages may keep alive, over all clients; default 256 MiB. */
  readonly limitBytes?: number;
  /** Monotonic clock in milliseconds; default `performance.now`. */
  readonly now?: Clock["now"];
  /**
   * Waits for so many milliseconds. Passed if nothing is to be dropped: clients then wait a moment
   * at each read for a receiver that is behind, before the channel is full.
   */
  readonly delay?: Clock["delay"] | undefined;
  /**
   * How long messages of a client may wait before it is paused, in milliseconds, if nothing is to
   * be dropped; default infinity.
   */
  readonly maxWaitMs?: number;
  /** The pool that buffers go back to, once what follows is taken. */
  readonly pool?: BufferPool | undefined;
}

/** Names of all options. */
export const CHANNEL_OPTIONS: OptionNames<SmartChannelOptions> = {
  ...{ limitBytes: true, now: true, delay: true, maxWaitMs: true, pool: true },
};

/** Default of `limitBytes`. */
export const CHANNEL_LIMIT_BYTES: number = 256 * 1024 * 1024;
