import type { Clock } from "../base/clock.ts";
import type { CloseOptions } from "./options.ts";
import type { ClientList } from "./client_list.ts";
import { logCut, logUnread } from "./client_log.ts";
import type { Log } from "../base/log.ts";

/** How often a closing server looks whether its clients have gone quiet, in milliseconds. */
const STEP_MS = 10;
/** Where so long nothing more was received, waiting for what is still to be read leads nowhere. */
const STALLED_MS = 500;

/** Where nothing comes for so long, a peer has sent all, in milliseconds, */
const GAP_MS = 20;
/** but a program that is busy sees late what came: then only its end tells. */
const LAG_MS = 15;

/** Who waits at a port that closes is let in for so long, in milliseconds. */
const LAST_ACCEPTS_MS = 100;
/** Connections that have just come begin their calls in so many milliseconds. */
const LAST_CALLS_MS = 1000;
/** How often a server that takes no more clients looks whether those that it has are gone, in milliseconds. */
const LEFT_STEP_MS = 50;

/** What a closing server reads, and by which clock. */
export interface DrainOptions
  extends Required<Omit<CloseOptions, "backlogMs">>, Pick<Clock, "now" | "delay"> {
  /** When nothing is read any more, in milliseconds of the clock. */
  readonly end: number;
  readonly clients: Pick<ClientList, "sending" | "lookAtBacklog">;
  /** Bytes of the messages that were received so far. */
  readonly received: () => number;
  readonly log: Log;
}

/**
 * Reads what clients still send, and then of those that have sent more than could be read so far, what
 * they had sent before: a program that ended in time must not lose what its last seconds were about.
 */
export async function drain(options: DrainOptions): Promise<void> {
  const { clients, log, now, delay, drainMs, quietMs, end } = options;
  const isQuiet = () => clients.sending(quietMs) === 0;
  const quiet = async (until: number) => {
    while (now() < until && !isQuiet()) await delay(STEP_MS);
  };
  await quiet(now() + drainMs);
  const { unread, closed } = isQuiet() || now() >= end
    ? { unread: 0, closed: 0 }
    : await readBacklog(options);
  if (unread === 0) await quiet(Math.min(now() + quietMs, end));
  logCut(log, Math.max(0, closed + clients.sending(quietMs) - unread), drainMs);
  logUnread(log, unread);
}

/** Reads on as long as messages come of it; tells of how many clients not all was read, and how many went on. */
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

/** Whether whoever waits at a port that closes has had time to be let in. */
export function lastAccepts(now: Clock["now"], until: AbortSignal): () => boolean {
  const end = now() + LAST_ACCEPTS_MS;
  return () => now() >= end || until.aborted;
}

/** Why a port lets nobody in, for `/readyz`. */
export function notListening(isShut: boolean, isRetired: boolean): string | undefined {
  if (isShut) return "the server closes";
  return isRetired ? "the server drains: it takes no more clients" : undefined;
}

/**
 * Waits until clients have left.
 *
 * @param clients that are waited for
 * @param until ends the waiting
 * @param delay resolves after so many milliseconds
 * @param onCalled called once, when whoever had just come has begun its calls
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
