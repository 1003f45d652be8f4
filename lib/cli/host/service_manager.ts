/**
 * What systemd is told, as sd_notify(3) describes it: ready, alive, stopping.
 *
 * @module
 */
import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import { datagramSender } from "../../adapters/process/datagrams.ts";
import type { DatagramSender } from "../../adapters/process/types.ts";
import { reason } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";

/** Variables that systemd sets. */
export const SERVICE_VARIABLES = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] as const;

/** Whoever started the program and waits for word from it. */
export interface ServiceManager {
  /** The port is open, and what is to be saved can be. */
  ready(status: string): void;
  /** What `systemctl status` shows from now on. */
  status(text: string): void;
  /** The end has begun; the watchdog goes on until it is over. */
  stopping(): void;
  /** No more is told. */
  close(): void;
}

/** What the service manager needs of the process. */
export interface ServiceManagerContext {
  readonly env: (name: string) => string | undefined;
  readonly pid: number;
  readonly log: Log;
  /** Opens the socket; default by this runtime. */
  readonly open?: (name: string) => DatagramSender;
  /** Calls again and again; default by a timer. */
  readonly every?: Clock["every"];
}

const NOBODY: ServiceManager = { ready() {}, status() {}, stopping() {}, close() {} };

/**
 * The service manager that waits for word, if one does.
 *
 * @param context of the process; a socket that can't be reached is told in one line of the log
 */
export function serviceManager(context: ServiceManagerContext): ServiceManager {
  const { env, pid, log, open = datagramSender, every = SYSTEM_CLOCK.every } = context;
  const name = env("NOTIFY_SOCKET");
  if (!name) return NOBODY;
  let send: DatagramSender;
  try {
    send = open(name);
  } catch (error) {
    log.write("warn", `systemd is not told that this is ready: ${reason(error)}`);
    return NOBODY;
  }
  const tell = (text: string) => {
    if (send(new TextEncoder().encode(text))) return;
    log.write("warn", `systemd could not be told ${text.split("=")[0]}`, { kind: "sd_notify" });
  };
  // Twice within its time, from the very loop that serves: one that hangs tells nothing.
  const ms = watchdogMs(env, pid);
  const stop = ms === undefined ? () => {} : every(ms / 2, () => tell("WATCHDOG=1"));
  return {
    ready: (status) => tell(`READY=1\nSTATUS=${status.replaceAll("\n", " ")}`),
    status: (text) => tell(`STATUS=${text.replaceAll("\n", " ")}`),
    stopping: () => tell("STOPPING=1"),
    close: stop,
  };
}

/** After so long without a word systemd takes the program for dead. */
function watchdogMs(env: (name: string) => string | undefined, pid: number): number | undefined {
  const usec = Number(env("WATCHDOG_USEC") ?? NaN);
  const meant = env("WATCHDOG_PID");
  // Started by a program that systemd watches: not meant for us.
  if (meant && meant !== String(pid)) return undefined;
  return usec > 0 && Number.isFinite(usec) ? usec / 1000 : undefined;
}
