import type { TcpConnection, TcpListener } from "./adapters/types.ts";
import { reason } from "./errors.ts";
import type { Log } from "./log.ts";

/** How long to wait after an accept that failed, in milliseconds: doubling from the first to the last. */
const BACKOFF_MS = { first: 10, last: 1000 };

/** The least time between two log lines about failed accepts, in milliseconds. */
const LOG_EVERY_MS = 1000;

/** What the accept loop needs of its server. */
export interface AcceptLoopOptions {
  readonly log: Log;
  readonly now: () => number;
  readonly delay: (ms: number) => Promise<void>;
  readonly onConnection: (connection: TcpConnection) => void;
}

/**
 * Accepts clients until the listener is closed.
 *
 * What the system says of a connection that could not be accepted (no file descriptors left, say) is
 * logged, at most once a second, and tried again after a pause that grows; it never ends the loop.
 *
 * @param listener where clients connect
 * @param options log, clock, and what to do with a connection
 */
export async function acceptLoop(listener: TcpListener, options: AcceptLoopOptions): Promise<void> {
  const { log, now, delay, onConnection } = options;
  let backoff = BACKOFF_MS.first;
  let loggedAt = -Infinity;
  let unlogged = 0;
  while (true) {
    try {
      const connection = await listener.accept();
      if (connection === undefined) return;
      backoff = BACKOFF_MS.first;
      onConnection(connection);
    } catch (error) {
      if (now() - loggedAt >= LOG_EVERY_MS) {
        const more = unlogged > 0 ? ` (and ${unlogged} more since the last such line)` : "";
        log.write("warn", `Failed to accept incoming SDK client: ${reason(error)}${more}`);
        loggedAt = now();
        unlogged = 0;
      } else {
        unlogged++;
      }
      await delay(backoff);
      backoff = Math.min(backoff * 2, BACKOFF_MS.last);
    }
  }
}
