import type { Clock } from "../base/clock.ts";
import type { CloseOptions } from "./options.ts";
import type { ClientList } from "./client_list.ts";
import { logCut, logUnread } from "./client_log.ts";
import type { Log } from "../base/log.ts";

/** How often a closing server looks whether its clients have gone quiet, in milliseconds. */
const STEP_MS = 10;
/**
 * If nothing was received for so long, in milliseconds, the receiver is stuck, and waiting for it
 * is given up.
 */
const STALLED_MS = 500;

/** If nothing came of a peer for so long, in milliseconds, it has sent all it had. */
const GAP_MS = 20;
/** After being busy for so long, in milliseconds, this program may not have seen what came. */
const LAG_MS = 15;

/** How long clients that wait at a closing port are still let in, in milliseconds. */
const LAST_ACCEPTS_MS = 100;
/** How long a new connection may take to begin its calls, in milliseconds. */
const LAST_CALLS_MS = 1000;
/** How often a server that takes no more clients looks whether those that it has are gone, in milliseconds. */
const LEFT_STEP_MS = 50;

/** What a closing server reads, and by which clock. */
export interface DrainOptions
  extends Required<Omit<CloseOptions, "backlogMs">>, Pick<Clock, "now" | "delay"> {
  /** When reading ends at the latest, in milliseconds of the clock. */
  readonly end: number;
  readonly clients: Pick<ClientList, "sending" | "lookAtBacklog">;
  /** Gives the bytes of all messages that were received so far. */
  readonly received: () => number;
  readonly log: Log;
}

/**
 * Reads what clients still send. After that it reads on those that had sent more before the close
 * than could be read so far: a program that ended in time must not lose what its last seconds were
 * about.
 */
export async function drain(options: DrainOptions): Promise<void> {
  const { clients, log, now, delay, drainMs, quietMs, end } = options;
  const isQuiet = () => clients.sending(quietMs) === 0;
  const quiet = async (until: number) => {
    while (now() < until) {
      const asked = now();
      await delay(STEP_MS);
      // Quiet counts only if this look came in time: a busy program sees late what came.
      if (isQuiet() && now() - asked < Math.max(LAG_MS, quietMs / 2)) return;
    }
  };
  await quiet(now() + drainMs);
  const { unread, closed } = isQuiet() || now() >= end
    ? { unread: 0, closed: 0 }
    : await readBacklog(options);
  if (unread === 0 && !isQuiet()) await quiet(Math.min(now() + quietMs, end));
  logCut(log, Math.max(0, closed + clients.sending(quietMs) - unread), drainMs);
  logUnread(log, unread);
}

/**
 * Reads on as long as messages come; logs of how many clients not all was read, and how many went
 * on sending.
 */
async function readBacklog(
  { clients, received, now, delay, end }: DrainOptions,
): Promise<{ readonly unread: number; readonly closed: number }> {
  let { some, closed } = clients.lookAtBacklog(Infinity);
  let before = received();
  for (let since = now(); some > 0 && now() < end && now() - since < STALLED_MS;) {
    const asked = now();
    await delay(STEP_MS);
    const look = clients.lookAtBacklog(now() - asked < LAG_MS ? GAP_MS : Infinity);
    some = look.some;
    closed += look.closed;
    if (received() === before) continue;
    before = received();
    since = now();
  }
  return { unread: some, closed };
}

/**
 * Makes a function that tells whether clients that waited at a closing port have had time to be let
 * in.
 */
export function lastAccepts(now: Clock["now"], until: AbortSignal): () => boolean {
  const end = now() + LAST_ACCEPTS_MS;
  return () => now() >= end || until.aborted;
}

/** Why the port lets nobody in, for `/readyz`; `undefined` while it is open. */
export function notListening(isShut: boolean, isRetired: boolean): string | undefined {
  if (isShut) return "the server closes";
  return isRetired ? "the server drains: it takes no more clients" : undefined;
}

/**
 * Waits until clients have left.
 *
 * @param clients the clients to wait for
 * @param until ends the waiting
 * @param delay resolves after so many milliseconds
 * @param onCalled called once, when connections that had just come have had time to begin their
 * calls
 */
export async function whenLeft(
  clients: Pick<ClientList, "size">,
  until: AbortSignal,
  delay: Clock["delay"],
  onCalled: () => void,
): Promise<void> {
  for (let ms = 0; clients.size > 0 && !until.aborted; ms += LEFT_STEP_MS) {
    if (ms === LAST_CALLS_MS) onCalled();
    await delay(LEFT_STEP_MS);
  }
}
