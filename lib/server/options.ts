/**
 * Options of the server.
 *
 * @module
 */
import { type Clock, SYSTEM_CLOCK } from "../base/clock.ts";
import {
  checkCallable,
  checkGiven,
  checkOptions,
  hasMethods,
  type OptionNames,
} from "../base/check_arguments.ts";
import {
  checkBoolean,
  checkChoice,
  checkLimits,
  checkObject,
  checkPort,
  checkPositive,
  checkText,
  checkTexts,
  valueText,
} from "../base/check_options.ts";
import { LIMIT_DEFAULTS } from "../base/limit_table.ts";
import { KnownMessages } from "./known_messages.ts";
import type { Doors } from "./doors.ts";
import { ON_BAD_ARROW, type OnBadArrow } from "../encoding/arrow/arrow_guard.ts";
import type { PatienceOptions } from "../comms/sdk/patience.ts";
import type { DecodeLimits } from "../encoding/limits.ts";
import {
  checkMaxLatency,
  THROTTLE_RULES,
  type ThrottleRules,
} from "../flow/throttle/accept_rate.ts";
import { consoleLog, type Log } from "../base/log.ts";
import { checkReadiness, Readiness } from "../base/readiness.ts";

/** Options of `serve`; all may be left out. */
export interface ServeOptions extends PatienceOptions, DecodeLimits {
  /** Address to listen on; default `127.0.0.1`. */
  readonly hostname?: string;
  /** Port to listen on; default 9876, and 0 takes a free one. */
  readonly port?: number;
  /** Latency in seconds above which frames are dropped; default infinity, which drops none. */
  readonly maxLatencySec?: number;
  /** How frames are dropped: `"corrected"` (default), or `"rerun"` as the Rerun server does, with its mistakes. */
  readonly rules?: ThrottleRules;
  /** Logs hosting and connect lines at level debug instead of info; default false. */
  readonly quiet?: boolean;
  /** Bytes that messages may keep alive while they wait, over all clients; default 256 MiB. */
  readonly channelLimitBytes?: number;
  /**
   * Seconds that messages may wait before their client is paused, where none are dropped; default
   * infinity, which pauses it once its share of the channel is full.
   */
  readonly pauseAfterSec?: number;
  /** Limit of a packet in bytes; default 512 MiB. */
  readonly maxPacketBytes?: number;
  /** Clients that are served at once, beyond which they wait for a place; default 4096. */
  readonly maxClients?: number;
  /** Connections that may be in their handshake, beyond which the oldest is closed; default 16,384. */
  readonly maxHandshakes?: number;
  /** Bytes of packets that are not whole and of what waits for the channel, over all clients; default 1 GiB. */
  readonly maxUnfinishedBytes?: number;
  /** Connections that one address may have open; default infinity, for many share one behind NAT. */
  readonly maxConnectionsPerAddress?: number;
  /** Connects of one address a second, after as many at once; default infinity. */
  readonly maxConnectsPerSec?: number;
  /** Addresses and networks that may connect, such as `10.0.0.0/8` or `::1`; default all. */
  readonly allow?: readonly string[];
  /**
   * Uses memory again, which is faster and takes less of it: the bytes of a message are its own only
   * until the receiver asks for what comes next, and whoever keeps it longer copies them; default false.
   */
  readonly reuseBuffers?: boolean;
  /** What is done with corrupt Arrow data: `"save"` (default), `"drop"` or `"close"` its client. */
  readonly onBadArrow?: OnBadArrow;
  /**
   * Says when what came is kept for good, for a Rerelay that forwards to this one: called when a call of it
   * begins; what it gives is called when the receiver has taken all of that call and asks for more, and
   * rejects if some of it may not be kept. It may be called several times. Default: it is kept once it is
   * taken.
   */
  readonly confirm?: () => () => Promise<void>;
  /**
   * Remembers what came from servers that forward to this one, so that it is not taken twice. Given to
   * the `grpcTarget`s and `natsTarget`s of the program, too, what these have sent is left out when it comes back; default
   * one of its own.
   */
  readonly known?: KnownMessages;
  /**
   * Who serves viewers and browsers that come to this port; default nobody, and they are told so. Also
   * who may read tables; default everybody.
   */
  readonly doors?: Doors;
  /** The parts that `GET /readyz` asks; default the port alone, which the server always adds. */
  readonly readiness?: Readiness;
  /** Closes the server when it is aborted. */
  readonly signal?: AbortSignal;
  /** Where log lines go; default the console, from info on. */
  readonly log?: Log;
  /** Monotonic clock in milliseconds; default `performance.now`. */
  readonly now?: Clock["now"];
  /** Random number from 0 up to 1; default `Math.random`. */
  readonly random?: () => number;
  /**
   * Collects garbage, called while many messages wait, so that dead memory stays small beside
   * `channelLimitBytes`, and when it has gone quiet; with `true` it need only begin, and is called
   * again half a second later. Default the runtime's own way.
   */
  readonly collectGarbage?: (onlyBegin?: boolean) => void;
  /** Runs a task every so many milliseconds, until the function it returns is called; default a timer. */
  readonly every?: Clock["every"];
  /** Waits for so many milliseconds; default by a timer. */
  readonly delay?: Clock["delay"];
}

/** All options, with defaults. */
export type ResolvedOptions =
  & Required<Omit<ServeOptions, "signal">>
  & Pick<ServeOptions, "signal">;

/**
 * Fills in the defaults.
 *
 * @throws {RangeError} if one is out of its range
 * @throws {TypeError} if there is no such option
 */
export function resolveOptions(options: ServeOptions): ResolvedOptions {
  const defaults: Required<Omit<ServeOptions, "signal">> = {
    hostname: "127.0.0.1",
    port: 9876,
    maxLatencySec: Infinity,
    rules: "corrected" as const,
    quiet: false,
    pauseAfterSec: Infinity,
    ...LIMIT_DEFAULTS,
    allow: [],
    doors: {},
    readiness: new Readiness(),
    confirm: () => () => Promise.resolve(),
    known: new KnownMessages(),
    reuseBuffers: false,
    onBadArrow: "save" as const,
    log: consoleLog(),
    now: SYSTEM_CLOCK.now,
    random: Math.random,
    every: SYSTEM_CLOCK.every,
    collectGarbage: () => {},
    delay: SYSTEM_CLOCK.delay,
  };
  checkOptions("serve", options, { ...defaults, signal: true });
  const resolved: ResolvedOptions = { ...defaults, ...withoutUndefined(options) };
  checkText("hostname", resolved.hostname);
  checkPort(resolved.port);
  checkMaxLatency(resolved.maxLatencySec);
  checkPositive("pauseAfterSec", resolved.pauseAfterSec);
  checkLimits(resolved);
  checkChoice("rules", resolved.rules, THROTTLE_RULES);
  checkChoice("onBadArrow", resolved.onBadArrow, ON_BAD_ARROW);
  checkBoolean("quiet", resolved.quiet);
  checkBoolean("reuseBuffers", resolved.reuseBuffers);
  checkTexts("allow", resolved.allow, '["10.0.0.0/8"]');
  checkObject("doors", resolved.doors, "{ http: door.take }");
  checkOptions("doors", resolved.doors, DOOR_NAMES);
  checkCallable(resolved.doors, ["http", "readMessages", "mayReadTables"]);
  checkCallable(resolved, ["now", "random", "every", "delay", "collectGarbage", "confirm"]);
  checkReadiness("serve", resolved.readiness);
  checkGiven(
    "serve",
    "known, KnownMessages",
    hasMethods(resolved.known, "sent", "isSent", "came"),
    resolved.known,
  );
  checkSignal(resolved.signal);
  return resolved;
}

const DOOR_NAMES: OptionNames<Doors> = { http: true, readMessages: true, mayReadTables: true };

function checkSignal(signal: unknown): void {
  if (signal === undefined || hasMethods(signal, "throwIfAborted", "addEventListener")) return;
  throw new RangeError(`signal must be an AbortSignal, not ${valueText(signal)}`);
}

/** An option that is passed as `undefined` means its default. */
function withoutUndefined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined)) as T;
}

/** How {@linkcode Server.close} treats what clients still send. */
export interface CloseOptions {
  /** Goes on reading open sockets for at most so many milliseconds; default 0: cuts them at once. */
  readonly drainMs?: number;
  /** Ends the reading once no bytes came for so many milliseconds; default 100. */
  readonly quietMs?: number;
  /**
   * After that, goes on reading clients that had sent more before the close than could be read so
   * far, as long as bytes come, for at most so many milliseconds; default 0.
   */
  readonly backlogMs?: number;
}

/**
 * Checks the options of {@linkcode Server.close}.
 *
 * @throws {RangeError} if a time is not 0 or more
 * @throws {TypeError} if there is no such option
 */
export function checkedClose(options: CloseOptions): CloseOptions {
  checkOptions("close", options, { drainMs: true, quietMs: true, backlogMs: true });
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && value !== 0) checkPositive(name, value);
  }
  return options;
}

/**
 * As {@linkcode resolveOptions}, for a server that is to listen.
 *
 * @param options as they were passed
 * @param adapter what listens
 * @throws {RangeError} if an option is out of its range
 * @throws {TypeError} if there is no such option, or no adapter
 */
export function listenOptions(options: ServeOptions, adapter: unknown): ResolvedOptions {
  checkGiven("Server.listen", "a TCP adapter", hasMethods(adapter, "listen"), adapter);
  return resolveOptions(options);
}
