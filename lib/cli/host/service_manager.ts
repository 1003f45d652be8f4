/**
 * Tells systemd, as sd_notify(3) describes, that the server is ready, alive, or stopping.
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

/** The service manager that started the program. */
export interface ServiceManager {
  /** Tells that the port is open, and that recordings can be saved. */
  ready(status: string): void;
  /** Sets what `systemctl status` shows. */
  status(text: string): void;
  /** Tells that the program is ending; the watchdog is still served meanwhile. */
  stopping(): void;
  /** Stops telling. */
  close(): void;
}

/** Options of {@linkcode serviceManager}. */
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
 * Makes the connection to a service manager, if one waits for it.
 *
 * @param context of the process; a socket that can't be reached is logged once
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
  // Twice within the watchdog's time, by a timer of the loop that serves: a program that hangs
  // tells nothing.
  const ms = watchdogMs(env, pid);
  const stop = ms === undefined ? () => {} : every(ms / 2, () => tell("WATCHDOG=1"));
  return {
    ready: (status) => tell(`READY=1\nSTATUS=${status.replaceAll("\n", " ")}`),
    status: (text) => tell(`STATUS=${text.replaceAll("\n", " ")}`),
    stopping: () => tell("STOPPING=1"),
    close: stop,
  };
}

/** After how long without a sign of life systemd takes the program for dead, in milliseconds. */
function watchdogMs(env: (name: string) => string | undefined, pid: number): number | undefined {
  const usec = Number(env("WATCHDOG_USEC") ?? NaN);
  const meant = env("WATCHDOG_PID");
  // Meant for the program that started us.
  if (meant && meant !== String(pid)) return undefined;
  return usec > 0 && Number.isFinite(usec) ? usec / 1000 : undefined;
}
