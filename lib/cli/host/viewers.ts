/**
 * Serves live viewers for the command line: the hub, the WebSocket and the page.
 *
 * @module
 */
import { SYSTEM_CLOCK } from "../../base/clock.ts";
import { loadGarbageCollector } from "../../adapters/load.ts";
import { formatAddr, isLoopback, type NetAddr } from "../../base/net_addr.ts";
import type { HttpListener } from "../../adapters/http/types.ts";
import { reason, TcpBindError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { Readiness } from "../../base/readiness.ts";
import type { Shelf } from "../../recordings/shelf.ts";
import type { ServerStatus, ViewerHub } from "../../viewers/mod.ts";
import { openBrowser } from "./browser.ts";
import type { CliProcess } from "../process.ts";
import { viewersAllowed } from "./viewers_allowed.ts";
import { systemMemory } from "./system_memory.ts";
import { formatBytes } from "../terminal/units.ts";
import { TOKEN_VARIABLE, type ViewerArgs } from "../args/viewer_args.ts";
import type { ViewerDoors } from "./viewer_doors.ts";

/** Memory for history if the machine's can't be seen, in bytes. */
const UNSEEN_MEMORY_LIMIT = 1024 * 1024 * 1024;

/** The warning for an option that scripts may still pass. */
const NO_QUEUE =
  "--viewer-queue has no effect any more: a viewer that falls behind goes on with what " +
  "--server-memory-limit keeps";

/** How long viewers may take to confirm the end of their connection, in milliseconds. */
const CLOSE_MS = 150;

/** The started parts. */
export interface LiveViewers {
  readonly hub: ViewerHub;
  /** Stops listening; viewers that are connected stay. */
  leave(): void;
  /** Cuts the connections that are left, once the hub is closed. */
  close(): Promise<void>;
}

/** Options of {@linkcode liveViewers}. */
export interface LiveViewersContext {
  readonly bind: string;
  /** Addresses and networks that may connect to the ports of viewers too; left out, all may. */
  readonly allow: readonly string[] | undefined;
  readonly process: CliProcess;
  readonly log: Log;
  /** Log for lines that are written at any level, such as addresses that nobody could guess. */
  readonly always: Log;
  readonly quiet: boolean;
  readonly status: () => ServerStatus;
  /** Recordings on the disk, to be shown. */
  readonly files: Shelf;
  /** The doors at the port of the SDKs. */
  readonly doors: ViewerDoors;
  /** Address of that port, at which viewers 0.23 and later read. */
  readonly sdk: NetAddr;
  /** The parts that `/readyz` asks. */
  readonly readiness: Readiness;
}

/**
 * Listens for viewers.
 *
 * @throws {TcpBindError} that names the option, if a port can't be bound
 */
export async function liveViewers(
  args: ViewerArgs,
  context: LiveViewersContext,
): Promise<LiveViewers> {
  const { bind, process, log, status, files, doors, readiness } = context;
  // Loaded only now: a server that only records needs none of it.
  const viewers = await import("../../viewers/mod.ts");
  const { httpApp, messageReaders, pageAssets, serveHttp, viewerGuard, viewerHub, websocketRelay } =
    viewers;
  const { token } = args;
  const limitBytes = memoryLimit(args, log);
  if (args.queueBytes !== undefined) log.write("warn", NO_QUEUE, { kind: "option without effect" });
  const hub = viewerHub({
    limitBytes,
    maxViewers: args.maxViewers,
    viewerLatencySec: args.latencySec,
    newestFirst: args.newestFirst,
    collectGarbage: await loadGarbageCollector(),
    log,
  });
  const addrs: { socket?: NetAddr; page?: NetAddr } = {};
  const guard = viewerGuard({
    hostname: bind,
    allowHosts: args.allowHosts,
    allowOrigins: args.allowOrigins,
    pagePort: () => addrs.page?.port,
    ...(token === undefined ? {} : { token }),
  });
  const readers = messageReaders(hub, { guard, log });
  const app = httpApp({
    hub,
    status,
    guard,
    readers,
    readiness,
    files,
    allowDelete: args.allowDelete ?? false,
    log,
    page: pageAssets(log, process.packages),
    webSocketPort: () => addrs.socket?.port,
  });
  const relay = websocketRelay(hub, { guard });
  const isAllowed = await viewersAllowed(context.allow, log);
  const onError = (error: unknown) =>
    log.write("error", `A viewer's request was not answered: ${reason(error)}`);
  const listen = async (option: string, port: number, fetch: typeof relay | typeof app.fetch) => {
    try {
      return await serveHttp({
        hostname: bind,
        port,
        fetch,
        onError,
        ...(isAllowed && { isAllowed }),
      });
    } catch (error) {
      if (!(error instanceof TcpBindError)) throw error;
      throw new TcpBindError(error.addr, error.cause, option);
    }
  };
  const socket = await listen("--ws-server-port", args.socketPort, relay);
  let page: HttpListener;
  try {
    page = await listen("--web-viewer-port", args.pagePort, app.fetch);
  } catch (error) {
    await socket.close();
    throw error;
  }
  Object.assign(addrs, { socket: socket.addr, page: page.addr });
  doors.open({ readers, fetch: app.fetch, onError });
  const url = tell(args, context, socket.addr, page.addr);
  log.write("debug", `Live viewers get a history of up to ${formatBytes(limitBytes)}`);
  if (token === undefined && !process.seesEnv(TOKEN_VARIABLE)) {
    log.write(
      "warn",
      `No token is asked for: whether ${TOKEN_VARIABLE} is set can't be seen ` +
        `(--allow-env=${TOKEN_VARIABLE})`,
    );
  }
  if (token === undefined && isAllowed === undefined && !isLoopback(bind)) {
    log.write(
      "warn",
      `All who can reach ${formatAddr(page.addr)} see what is logged: ask for a token with ` +
        `--viewer-token-file, or ${TOKEN_VARIABLE}, or say who may connect (--allow)`,
    );
  }
  if (args.openBrowser) openBrowser(url, process, log);
  const close = async () => {
    const closed = Promise.all([socket.close(), page.close(), doors.cut()]);
    await Promise.race([closed, SYSTEM_CLOCK.delay(CLOSE_MS)]);
  };
  const leave = () => {
    socket.leave();
    page.leave();
  };
  return { hub, leave, close };
}

/** Logs where viewers connect to. */
function tell(
  args: ViewerArgs,
  { log, always, quiet, sdk }: LiveViewersContext,
  socket: NetAddr,
  page: NetAddr,
): string {
  const reached = ({ hostname, port }: NetAddr) =>
    formatAddr({
      hostname: hostname === "0.0.0.0" || hostname === "::" ? "localhost" : hostname,
      port,
    });
  const url = `http://${reached(page)}/`;
  const native = `ws://${reached(socket)}`;
  // With a slash before the query, which native viewers do not add and HTTP servers demand.
  const shown = args.token === undefined ? native : `'${native}/?token=…'`;
  const picked = args.socketPort === 0 || args.pagePort === 0;
  const to = picked ? always : log;
  const level = quiet && !picked ? "debug" : "info";
  to.write(
    level,
    `Hosting a WebSocket server at ${native}. Connect with a native viewer 0.16 to 0.22: rerun ${shown}`,
    { ...socket },
  );
  const today = args.token === undefined
    ? `connect by: rerun rerun+http://${reached(sdk)}/proxy`
    : "have no way to send the token: they read through the page";
  to.write(level, `Native viewers 0.23 and later ${today}`, { ...sdk });
  to.write(level, `Hosting a web viewer at ${url}`, { ...page });
  return url;
}

function memoryLimit({ memoryLimit }: ViewerArgs, log: Log): number {
  if (memoryLimit !== undefined && "bytes" in memoryLimit) return memoryLimit.bytes;
  const total = systemMemory();
  if (total !== undefined) return Math.max(1, Math.round(total * (memoryLimit?.share ?? 0.25)));
  const bytes = formatBytes(UNSEEN_MEMORY_LIMIT);
  log.write(
    memoryLimit === undefined ? "info" : "warn",
    `How much memory the machine has can't be seen: the history is up to ${bytes} ` +
      "(--allow-sys=systemMemoryInfo, or --server-memory-limit in bytes)",
  );
  return UNSEEN_MEMORY_LIMIT;
}
