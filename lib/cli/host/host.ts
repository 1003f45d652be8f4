/**
 * Hosts a server until a signal comes: receives, saves, and logs what happens.
 *
 * @module
 */
import { SYSTEM_CLOCK } from "../../base/clock.ts";
import { loadFileAdapter, loadProcessAdapter } from "../../adapters/load.ts";
import type { FileAdapter } from "../../adapters/files/types.ts";
import { FileExists, PartExists, reason, SaveLocked } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { Readiness } from "../../base/readiness.ts";
import { limitedLog } from "../../base/limited_log.ts";
import { hostingLine } from "../../server/hosting_line.ts";
import { KnownMessages } from "../../server/known_messages.ts";
import { serve } from "../../server/serve.ts";
import type { Server } from "../../server/server.ts";
import { fanOut } from "../../sinks/fan_out.ts";
import { rrdFileSink } from "../../sinks/file/rrd_file.ts";
import { parseSavePattern } from "../../sinks/file/save_pattern.ts";
import type { RrdFileSink } from "../../sinks/file/sink_options.ts";
import { type Shelf, Shelves } from "../../recordings/shelf.ts";
import { resolveSavePath } from "../../sinks/file/save_place.ts";
import type { HostOptions } from "../args/args.ts";
import { UsageError } from "../args/arg_reader.ts";
import type { ForwardFollower } from "../../forward/forward_to.ts";
import { tellForwarding } from "./forwarding.ts";
import { unknownVariables } from "../args/environment.ts";
import { SETTABLE } from "../args/option_table.ts";
import { cliLog, type CliLogOptions, leftOutLine } from "../terminal/cli_log.ts";
import { diskCheck, probeName } from "./disk_check.ts";
import { drain } from "./drain.ts";
import { clientLines } from "./client_lines.ts";
import { EXIT } from "../exit_codes.ts";
import { liveStatus } from "./live_status.ts";
import type { NatsIntake } from "./nats.ts";
import { travelOf } from "./travel.ts";
import type { CliProcess, StopSignal } from "../process.ts";
import type { SaveOptions } from "../args/save_args.ts";
import { screen } from "../terminal/screen.ts";
import type { ServerStatus } from "../../viewers/serve/status.ts";
import { finish } from "./finish.ts";
import { leaveUnstarted, type Opened, tellWait, unlessStopped } from "./unstarted.ts";
import { serviceManager } from "./service_manager.ts";
import { plural } from "../../base/plural.ts";
import { formatBytes } from "../terminal/units.ts";
import { ViewerDoors } from "./viewer_doors.ts";
import { type LiveViewers, liveViewers } from "./viewers.ts";

const HANGUP_UNSEEN =
  "SIGHUP ends the program in order: whether it was started to ignore it (nohup) " +
  "can't be seen, which takes /proc/self/status (on Deno --allow-all)";

/** Messages wait so long before their client is paused: a fifth of the time to the disk. */
const PAUSE_AFTER_SEC = 0.1;

/** How long readers may take for what is left, in milliseconds, after all was saved. */
const DOORS_MS = 500;

/** The signals that ask the program to end. */
export interface StopRequest {
  /** Resolves at the first signal. */
  readonly signal: Promise<StopSignal>;
  /** Resolves at the first SIGUSR2. */
  readonly drain: Promise<void>;
  /** Sets what is done before a second signal ends the process at once. */
  onExitNow(task: () => void): void;
}

/**
 * Hosts until a signal comes.
 *
 * @param options what the arguments say
 * @param process streams
 * @param stop signals
 * @returns the exit code
 */
export async function host(
  options: HostOptions,
  process: CliProcess,
  stop: StopRequest,
): Promise<number> {
  const style = logOptions(options, process);
  const display = screen(process.stderr, { leftOut: (lines) => leftOutLine(lines, style) });
  stop.onExitNow(() => display.status(undefined));
  // One log for all parts, so that lines of a kind are counted together.
  const log = limitedLog(
    cliLog({ ...style, write: display.line }),
    SYSTEM_CLOCK.now,
  );
  for (const line of unknownVariables(SETTABLE, process.envNames())) log.write("warn", line);
  const stopped = stop.signal.then((signal) => {
    if (signal === "SIGHUP" && process.ignoresHangup === undefined) {
      log.write("warn", HANGUP_UNSEEN);
    }
  });
  // The status line replaces the lines about single clients.
  const live = process.isTerminal && options.logFormat === "text" && !options.quiet &&
    process.env("TERM") !== "dumb";
  const broken = Promise.withResolvers<void>();
  const opened: Opened = {};
  let started: Started | undefined;
  let figures = (): ServerStatus => ({});
  try {
    // A port that was picked is told at any log level, since nobody could guess it.
    const always = cliLog({ ...style, level: "info", write: display.line });
    const starting = start(options, {
      live,
      log,
      always,
      process,
      onSaveError: () => broken.resolve(),
      status: () => figures(),
      opened,
    });
    started = await unlessStopped(starting, stopped);
  } catch (error) {
    log.write("error", reason(error));
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
  if (started === undefined) return await leaveUnstarted(opened, options.save?.path, log);
  const { server, file, viewers, nats, forwarding } = started;
  const lines = clientLines(log, live || options.quiet ? "debug" : "info");
  // The sink of NATS comes last: it acknowledges what all others have kept.
  const sinks = [lines, file, viewers?.hub, nats?.sink].filter((sink) => sink !== undefined);
  const receiver = fanOut(sinks, { log });
  figures = () => ({
    addr: server.addr,
    stats: server.stats,
    latencySec: server.latencySec,
    // Without sinks that keep nothing.
    sinks: receiver.stats.filter(({ name }) => name !== lines.name && name !== nats?.sink.name),
    ...(file === undefined ? {} : { files: file.kept }),
    ...nats?.figures,
    forwarding: forwarding.map(({ stats }) => stats),
  });
  const receiving = receiver.receive(server.batches());
  void nats?.begin(server, file);
  const { pid } = await loadProcessAdapter();
  const manager = serviceManager({ env: process.env, pid, log });
  manager.ready(hostingLine(server.addr));
  const status = live && log.enabled("info")
    ? liveStatus({ ...started, receiver, process, display, color: usesColor(process) })
    : undefined;

  const ended = new AbortController();
  void stopped.then(() => ended.abort());
  const drained = stop.drain.then(async (): Promise<"drained"> => {
    manager.status("Draining: the next server may start");
    const { drainSec: limitSec } = options;
    const leaveViewers = () => viewers?.leave();
    await drain({ server, file, leaveViewers, limitSec, stopped: ended.signal, log });
    return "drained";
  });
  // If receiving ends before the signal, it broke: better a crash than to keep nothing.
  const first = await Promise.race([stopped, receiving, broken.promise, drained]);
  manager.stopping();
  const level = options.quiet ? "debug" : "info";
  const open = server.stats.connections.open;
  const finishing = finish({
    ...{ server, receiver, receiving, file, received: lines.total, log },
    // After a drain nobody waits for the end, until a signal comes.
    ...(first === "drained" && { hurried: stopped }),
  });
  if (open > 0) {
    const text = `Stopping when ${plural(open, "client")} went quiet, in 1 s at most, ` +
      "or when what they had sent by now is read; " +
      "a second signal ends at once";
    log.write(level, text, { clients: open });
  }
  const whole = await finishing;
  // The hub has ended the readers' streams; they may take the rest until the time is over.
  await Promise.all([viewers?.close(), whole ? server.closeDoors(DOORS_MS) : undefined]);
  status?.stop();
  manager.close();
  const { messages, bytes } = lines.total;
  const clients = plural(server.stats.connections.total, "connection");
  log.write(
    level,
    `Received ${plural(messages, "message")}, ${formatBytes(bytes)}, from ${clients}`,
    {
      messages,
      bytes,
      connections: server.stats.connections.total,
    },
  );
  for (const saved of file?.saved ?? []) {
    const what = `${plural(saved.messages, "message")}, ${formatBytes(saved.bytes)}`;
    log.write(level, `Saved ${what}, to ${saved.path}`, { ...saved });
  }
  return whole && !receiver.stats.some((sink) => sink.failed) ? EXIT.ok : EXIT.failed;
}

/** The parts that were started. */
interface Started {
  readonly server: Server;
  readonly file: RrdFileSink | undefined;
  readonly viewers: LiveViewers | undefined;
  readonly nats: NatsIntake | undefined;
  readonly forwarding: readonly ForwardFollower[];
}

/** Starts all parts; no file is touched before the port is ours. */
async function start(
  options: HostOptions,
  { live, log, always, process, onSaveError, status, opened }: {
    readonly live: boolean;
    readonly log: Log;
    readonly always: Log;
    readonly process: CliProcess;
    readonly onSaveError: () => void;
    readonly status: () => ServerStatus;
    /** Gets the parts that are open so far. */
    readonly opened: Opened;
  },
): Promise<Started> {
  const { bind, port, save, maxLatencySec, limits } = options;
  const files = save === undefined ? undefined : await filesFor(save);
  const given = await givenFiles(options, log);
  const shelves = new Shelves();
  if (given !== undefined) shelves.add(given);
  const known = new KnownMessages();
  const { forwarding, nats, followers } = await travelOf(options, process, log, known);
  const quiet = options.quiet || live;
  let confirm: () => () => Promise<void> = () => () => Promise.resolve();
  const doors = new ViewerDoors();
  const readiness = new Readiness();
  if (nats !== undefined) readiness.add("nats", () => nats.trouble);
  const server = await serve({
    hostname: bind,
    port,
    maxLatencySec,
    ...limits,
    readiness,
    quiet,
    log,
    // Without this, what waits for a slow disk would not be on it in time.
    ...(save !== undefined && save.sync !== "never" && { pauseAfterSec: PAUSE_AFTER_SEC }),
    // Possible because all sinks copy what they keep.
    reuseBuffers: true,
    confirm: () => confirm(),
    known,
    // Without viewers the server itself tells which option there is for them.
    ...(options.viewers !== undefined && { doors }),
  });
  opened.server = server;
  const told = log.enabled(quiet ? "debug" : "info");
  if (!told && (port === 0 || log.enabled("info") && !options.quiet)) {
    always.write("info", hostingLine(server.addr), { ...server.addr });
  }
  let viewers: LiveViewers | undefined;
  try {
    if (options.viewers !== undefined) {
      const context = {
        ...{ bind, allow: limits.allow },
        process,
        log,
        always,
        quiet: options.quiet,
        status,
        files: shelves,
        doors,
        readiness,
        sdk: server.addr,
      };
      viewers = opened.viewers = await liveViewers(options.viewers, context);
    }
  } catch (error) {
    await server.close();
    throw error;
  }
  if (save === undefined || files === undefined) {
    return { server, file: undefined, viewers, nats, forwarding };
  }
  let stopTelling = () => {};
  const notYet = readiness.add("disk", () => `${save.path} is not open yet`);
  try {
    if (await files.kind(save.path) === "other") stopTelling = tellWait(save.path, log);
    const { readyFreeBytes, ...saving } = save;
    const { onError, path } = saving;
    const processes = await loadProcessAdapter();
    const file = await rrdFileSink({
      ...saving,
      files,
      processes,
      log,
      shelved: viewers !== undefined,
      followers,
      onError: onError === "stop" ? onSaveError : () => {},
    });
    // First, so that a saved file is shown by this shelf even if its folder was given, too.
    if (file.shelf !== undefined) shelves.addFirst(file.shelf);
    confirm = () => file.confirm();
    log.write(options.quiet ? "debug" : "info", `Saving what is logged to ${path}`, { path });
    tellForwarding(options, forwarding, log, readiness);
    notYet();
    if (await files.kind(path) !== "other") {
      const { folder, name } = parseSavePattern(path);
      const probe = probeName(name, processes.pid);
      const minFreeBytes = readyFreeBytes;
      const { now } = SYSTEM_CLOCK;
      readiness.add("disk", diskCheck({ files, folder, probe, minFreeBytes, now }));
    }
    return { server, file, viewers, nats, forwarding };
  } catch (error) {
    await Promise.all([server.close(), viewers?.close()]);
    throw saveError(save.path, error);
  } finally {
    stopTelling();
  }
}

/** Opens the given files, if there are any. */
async function givenFiles({ viewers, quiet }: HostOptions, log: Log): Promise<Shelf | undefined> {
  if (viewers?.files === undefined) return undefined;
  const { GivenFiles } = await import("./given_files.ts");
  const given = await GivenFiles.open(viewers.files, await loadFileAdapter(), log);
  const text = `Showing ${plural(given.count, "recording")} of the disk on the page`;
  log.write(quiet ? "debug" : "info", text, { recordings: given.count });
  return given;
}

/** Adds the path to an error that does not name it. */
function saveError(path: string, error: unknown): unknown {
  const isSaid = [FileExists, SaveLocked, PartExists].some((kind) => error instanceof kind);
  return isSaid ? error : new Error(`Can't write ${path}: ${reason(error)}`);
}

async function filesFor({ path, force }: SaveOptions): Promise<FileAdapter> {
  const files = await loadFileAdapter();
  await resolveSavePath(path, force, files).catch((error) => {
    throw saveError(path, error);
  });
  return files;
}

function logOptions(options: HostOptions, process: CliProcess): Omit<CliLogOptions, "write"> {
  return {
    level: options.logLevel,
    format: options.logFormat === "json" ? "json" : process.isTerminal ? "terminal" : "text",
    color: usesColor(process),
    date: SYSTEM_CLOCK.date,
  };
}

/** Whether to use colors, as no-color.org asks. */
function usesColor(process: CliProcess): boolean {
  return process.isTerminal && !process.env("NO_COLOR") && process.env("TERM") !== "dumb";
}
