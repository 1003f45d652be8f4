import type { Clock } from "../base/clock.ts";
import type { TcpConnection, TcpListener } from "../adapters/tcp/types.ts";
import { reason } from "../base/errors.ts";
import type { Log } from "../base/log.ts";

/** How long to wait after an accept that failed, in milliseconds: doubling from the first to the last. */
const BACKOFF_MS = { first: 10, last: 1000 };

/**
 * Of thousands that come at once so many are let in, then those that are in are read, then the next
 * are let in.
 */
const AT_ONCE = 32;

/** If nobody came for so long, in milliseconds, nobody waits in the system's queue any more. */
const QUIET_MS = 10;

/** The system's queue never holds more clients than these. */
const MAX_BACKLOG = 4096;

/** What the accept loop needs of its server. */
export interface AcceptLoopOptions {
  /** A limited one: accepting may fail hundreds of times a second. */
  readonly log: Log;
  readonly delay: Clock["delay"];
  /**
   * Gives what to wait for before the next client is accepted; nothing if it may be accepted now.
   */
  readonly pace?: () => Promise<void> | undefined;
  readonly onConnection: (connection: TcpConnection) => void;
}

/** A running accept loop. */
export interface AcceptLoop {
  /** Resolves once the listener is closed. */
  readonly ended: Promise<void>;
  /** Ends a pause, because a file descriptor is free again or the listener is closed. */
  wake(): void;
  /**
   * Resolves once nobody waits in the system's queue any more, or `isOver` is true: nobody has come
   * for a moment, or as many have come as the queue can hold.
   */
  quiet(isOver: () => boolean): Promise<void>;
}

/**
 * Accepts clients until the listener is closed.
 *
 * What the system says of a connection that could not be accepted (no file descriptors left, say) is
 * logged, and tried again after a pause that grows; it never ends the loop.
 *
 * @param listener where clients connect
 * @param options log, clock, and what to do with a connection
 */
export function acceptLoop(listener: TcpListener, options: AcceptLoopOptions): AcceptLoop {
  const { delay } = options;
  let wake = () => {};
  let accepted = 0;
  const state = { isAsking: false };
  const onConnection = (connection: TcpConnection) => {
    accepted++;
    options.onConnection(connection);
  };
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      wake = resolve;
      delay(ms).then(resolve);
    });
  return {
    ended: acceptAll(listener, state, { ...options, onConnection }, pause),
    wake: () => wake(),
    async quiet(isOver) {
      const last = accepted + MAX_BACKLOG;
      for (let before = -1; accepted < last && !isOver();) {
        // That nobody came says something only if the loop was asking.
        if (before === accepted && state.isAsking) return;
        before = state.isAsking ? accepted : -1;
        await delay(QUIET_MS);
      }
    },
  };
}

async function acceptAll(
  listener: TcpListener,
  state: { isAsking: boolean },
  options: AcceptLoopOptions,
  pause: (ms: number) => Promise<void>,
): Promise<void> {
  const { log, onConnection } = options;
  let backoff = BACKOFF_MS.first;
  let accepted = 0;
  while (true) {
    try {
      const room = options.pace?.();
      if (room !== undefined) await room;
      state.isAsking = true;
      const connection = await listener.accept();
      state.isAsking = false;
      if (connection === undefined) return;
      backoff = BACKOFF_MS.first;
      onConnection(connection);
      if (++accepted % AT_ONCE === 0) await options.delay(0);
    } catch (error) {
      state.isAsking = false;
      const text = `Failed to accept incoming SDK client: ${reason(error)}`;
      log.write("warn", text, { kind: "accept failed" });
      await pause(backoff);
      backoff = Math.min(backoff * 2, BACKOFF_MS.last);
    }
  }
}
