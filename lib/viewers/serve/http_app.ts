/**
 * The HTTP app: recordings, files, status and the page.
 *
 * @module
 */
import {
  checkCallable,
  checkGiven,
  checkOptions,
  hasMethods,
  type OptionNames,
  picked,
} from "../../base/check_arguments.ts";
import { SYSTEM_CLOCK } from "../../base/clock.ts";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import type { RrdVersion } from "../../encoding/rrd_header.ts";
import { compareVersions, rrdVersionText } from "../../encoding/rrd_header.ts";
import { reason } from "../../base/errors.ts";
import { type Log, silentLog } from "../../base/log.ts";
import { Readiness } from "../../base/readiness.ts";
import { textResponse } from "../../base/text_response.ts";
import { checkServed, FileAnswers } from "../files/file_answers.ts";
import type { Shelf } from "../../recordings/shelf.ts";
import { AnswerBodies } from "./answer_bodies.ts";
import { attachment } from "./attachment.ts";
import { chosenRecordings } from "./_chosen_recordings.ts";
import { fleetAnswer } from "./fleet_list.ts";
import { checkHub, type ConnectionInfo, joinHub, RETRY_LATER, wishOf } from "./join.ts";
import { OneEncoding, rrdStream, type StreamForm } from "./_rrd_stream.ts";
import { BROWSER_PATIENCE, STALL_NAMES, type StallOptions, StallWatch } from "./stall_watch.ts";
import { grpcWeb } from "./grpc_web.ts";
import { checkGuard, type Guard, viewerGuard } from "./guard.ts";
import { type MessageReaders, messageReaders } from "./read_messages.ts";
import { assetAnswer, type PageAssets } from "./page_answer.ts";
import { METRICS_TYPE, metricsText } from "./metrics.ts";
import { recordingJson, type ServerStatus, statusJson } from "./status.ts";
import type { ViewerHub } from "../types.ts";
import { methodsOf, methodText } from "./_methods.ts";
import { zip } from "./_zip.ts";

/** Options of the app. */
export interface HttpAppOptions extends StallOptions {
  /** The hub that viewers join. */
  readonly hub: ViewerHub;
  /** Gives what `/status` and `/metrics` report besides the hub's own counts. */
  readonly status?: () => ServerStatus;
  /** The page, which is served under all other addresses; left out, there is none. */
  readonly page?: PageAssets;
  /**
   * The path below which an outer app has it, if that passes requests on unchanged, such as
   * `/robot`, which is redirected to `/robot/`; default `/`.
   */
  readonly path?: string;
  /** Who may ask; default this machine alone. */
  readonly guard?: Guard;
  /** Who answers web viewers by gRPC-web, the page's among them; default: readers of the hub. */
  readonly readers?: MessageReaders;
  /** Recordings on the disk, under `/files`; such as the `shelf` of a file sink. */
  readonly files?: Shelf;
  /** Whether viewers with the guard's token may remove files; default false, never without one. */
  readonly allowDelete?: boolean;
  /** The parts that `/readyz` asks; default none, which is always ready. */
  readonly readiness?: Readiness;
  /** Port of the WebSocket that the page may connect to. */
  readonly webSocketPort?: () => number | undefined;
  /** Gets a line for each fault. */
  readonly log?: Log;
}

/** The guaranteed part of a hono app; see https://hono.dev for `app.mount(path, fetch)`. */
export interface HttpApp {
  /** Answers a request; `info` tells of its connection, if the server that mounts the app knows. */
  fetch(request: Request, info?: Partial<ConnectionInfo>): Response | Promise<Response>;
  /**
   * Answers a request that is made of an address, for tests.
   *
   * @param url with a host name
   * @param init as for `fetch`
   */
  request(url: string, init?: RequestInit): Response | Promise<Response>;
}

const NAMES: OptionNames<HttpAppOptions> = {
  ...{ hub: true, status: true, page: true, path: true, guard: true, readers: true, files: true },
  ...{ webSocketPort: true, log: true, allowDelete: true, readiness: true, ...STALL_NAMES },
};

type Env = { Bindings: Partial<ConnectionInfo> };

/**
 * The content security policy: the viewer is WebAssembly, which must be compiled, and its glue code
 * sets styles of elements.
 */
const CONTENT_POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
];

/**
 * A hono app: `/recordings`, `/recordings/ID.rrd`, `/files`, `/files/NAME`, `/fleet`, `/stream.rrd`,
 * `/status`, `/metrics`, `/healthz`, `/readyz` and the page.
 *
 * `/recordings` takes `?limit=200`, the newest, and `&also=ID`, one more if it is there; all lists take
 * `&search=TEXT` and `&sort=name` (`newest`, `oldest`, `largest`), and but for it `&offset=200` too.
 * Streams take `?history=none` or `newest-first`, `?latency=2s`, `?version=0.22.1` and `?download=1`, which ends at the live edge. What
 * SDK 0.17 to 0.22 logged they give in today's form, and with `?format=as-sent` as it was sent.
 *
 * @param options where messages come from, who may ask
 * @throws {TypeError} if there is no hub, or no such option
 * @throws {RangeError} if an option is out of its range
 *
 * @example
 * ```ts
 * import { httpApp, viewerHub } from "@rerelay/server/viewers";
 * import { assertEquals } from "@std/assert";
 *
 * const app = httpApp({ hub: viewerHub() });
 * const response = await app.request("http://localhost/recordings");
 * assertEquals(await response.json(), []);
 * ```
 */
export function httpApp(options: HttpAppOptions): HttpApp {
  checkOptions("httpApp", options, NAMES);
  checkHub("httpApp", options.hub);
  checkGuard("httpApp", options.guard);
  checkCallable(options, ["status", "webSocketPort"]);
  checkServed(options);
  const { page } = options;
  checkGiven("httpApp", "a page, as pageAssets() gives", !page || hasMethods(page, "get"), page);
  const { hub, status = () => ({}), guard = viewerGuard(), log = silentLog } = options;
  const { readiness = new Readiness(), now = SYSTEM_CLOCK.now } = options;
  const stallOptions = picked<StallOptions>(options, STALL_NAMES);
  const { readers = messageReaders(hub, { ...stallOptions, guard, log }) } = options;
  const counts = {
    errors: 0,
    otherEncoding: 0,
    get otherData() {
      return readers.otherData;
    },
  };
  const app = new Hono<Env>();
  const token: MiddlewareHandler = async (c, next) => {
    const refusal = guard.refuseToken(c.req.raw);
    if (refusal !== undefined) return refusal;
    const cookie = guard.tokenCookie(c.req.raw);
    const [pair = ""] = cookie?.split(";") ?? [];
    if (cookie !== undefined && !c.req.header("cookie")?.includes(pair)) {
      c.header("set-cookie", cookie);
    }
    return await next();
  };
  const web = grpcWeb(readers);
  const bodies = new AnswerBodies(stallOptions, hub);
  const zipped = zip(bodies);
  const stream = streams(options, () => counts.otherEncoding++);

  app.use(async (c, next) => {
    await next();
    harden(c, options.webSocketPort?.());
  });
  app.use(async (c, next) => {
    const refusal = guard.refuse(c.req.raw);
    if (refusal !== undefined) return refusal;
    const folder = c.req.path === "/" ? folderOf(c.env?.url) : undefined;
    if (folder !== undefined) return c.redirect(folder, 308);
    const called = web(c.req.raw, c.env ?? {});
    if (called !== undefined) return await called;
    const origin = c.req.header("origin");
    if (origin !== undefined) c.header("access-control-allow-origin", origin);
    const isOfFile = options.files !== undefined && c.req.path.startsWith("/files/");
    const allow = methodsOf(isOfFile, options.allowDelete);
    if (c.req.method === "OPTIONS") {
      c.header("access-control-allow-methods", allow);
      const parts = c.req.path.startsWith("/files/")
        ? ", range, if-range, if-match, if-none-match"
        : "";
      c.header("access-control-allow-headers", `authorization${parts}`);
      return c.body(null, 204, { allow });
    }
    if (!allow.split(", ").includes(c.req.method)) {
      return c.text(`${methodText(c.req.method, allow, isOfFile)}\n`, 405, { allow });
    }
    await next();
    if (origin === undefined) return undefined;
    c.res.headers.set("access-control-allow-origin", origin);
    c.res.headers.set("access-control-expose-headers", EXPOSED);
    return undefined;
  });
  app.get("/healthz", () => textResponse(200, "ok"));
  app.get("/readyz", async (c) => {
    const report = await readiness.report();
    return c.json(report, report.ready ? 200 : 503);
  });
  app.get("/recordings", token, zipped, (c) => {
    // Chosen before JSON is made, since pages ask every second and there may be thousands of
    // recordings.
    const wanted = chosenRecordings(hub.recordings, c.req.query());
    if (typeof wanted === "string") return textResponse(400, wanted);
    c.header("x-total-count", String(wanted.found));
    return c.json(wanted.page.map(recordingJson));
  });
  app.get("/recordings/:name", token, (c) => {
    const [, id] = /^(.*)\.rrd$/s.exec(c.req.param("name")) ?? [];
    const known = hub.recordings.find((recording) => recording.id.toWellFormed() === id);
    if (known === undefined) return c.text("There is no such recording\n", 404);
    return stream(c, known.id);
  });
  const { files, allowDelete = false } = options;
  const answers = files &&
    new FileAnswers({ ...stallOptions, shelf: files, allowDelete, guard, log }, hub);
  if (answers !== undefined) {
    const name = (c: Context<Env, "/files/:name">) => c.req.param("name");
    app.get("/files", token, zipped, (c) => answers.list(c.req.raw));
    app.get("/files/:name", token, (c) => answers.give(c.req.raw, name(c), c.env));
    if (allowDelete) app.delete("/files/:name", (c) => answers.remove(c.req.raw, name(c)));
  }
  app.get("/fleet", token, zipped, (c) => fleetAnswer(status(), c.req.query(), now()));
  app.get("/stream.rrd", token, (c) => stream(c, undefined));
  const figures = () =>
    answers === undefined ? status() : { ...status(), downloads: answers.stats };
  app.get("/status", token, zipped, (c) => c.json(statusJson(hub, figures(), now())));
  app.get(
    "/metrics",
    token,
    zipped,
    (c) => c.text(metricsText(hub, figures(), counts), 200, { "content-type": METRICS_TYPE }),
  );
  app.get("*", (c) => assetAnswer(c, page, bodies));
  app.notFound((c) => c.text("There is nothing here\n", 404));
  app.onError((error, c) => {
    counts.errors++;
    // Only the path, for a token may be in the query.
    const text = `Could not answer ${c.req.method} ${c.req.path}: ${reason(error)}`;
    log.write("error", text, { kind: "request failed" });
    return c.text("The server failed to answer; its log says why\n", 500);
  });
  return options.path === undefined ? app : below(options.path, app);
}

/** Headers of answers that pages of other origins may read. */
const EXPOSED =
  "accept-ranges, content-disposition, content-length, content-range, etag, link, x-total-count";

/** Serves the app below a path; all other addresses are not found. */
function below(path: string, app: HttpApp): HttpApp {
  const folder = path.replace(/\/*$/, "/");
  if (!path.startsWith("/")) {
    throw new TypeError(`path must begin with a slash, not be ${JSON.stringify(path)}`);
  }
  const fetch: HttpApp["fetch"] = (request, info) => {
    const url = new URL(request.url);
    const isBelow = `${url.pathname}/`.startsWith(folder);
    if (!isBelow) return textResponse(404, `There is nothing here: the app is below ${folder}`);
    const asked = request.url;
    url.pathname = `/${url.pathname.slice(folder.length)}`;
    return app.fetch(new Request(url.href, request), { ...info, url: asked });
  };
  return { fetch, request: (url, init) => fetch(new Request(url, init)) };
}

/**
 * The address of the page with a slash at its end, which its relative addresses need, if it was
 * asked for without.
 */
function folderOf(url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  const { pathname, search } = new URL(url);
  return pathname.endsWith("/") ? undefined : `${pathname}/${search}`;
}

function harden(c: Context, webSocketPort: number | undefined): void {
  const { headers } = c.res;
  const socket = webSocketPort === undefined
    ? ""
    : ` ws://${new URL(c.req.url).hostname}:${webSocketPort}`;
  const policy = [...CONTENT_POLICY, `connect-src 'self'${socket}`];
  headers.set("content-security-policy", policy.join("; "));
  headers.set("referrer-policy", "no-referrer");
  headers.set("x-content-type-options", "nosniff");
  headers.set("cross-origin-resource-policy", "same-origin");
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
  headers.append("vary", "origin");
}

/** Makes the answer that streams a recording, or all of them. */
function streams(options: HttpAppOptions, onLeftOut: () => void) {
  const { hub } = options;
  const stalls = new StallWatch(options, hub);
  return (c: Context<Env>, recording: string | undefined): Response => {
    const versions = hub.recordings
      .filter(({ id }) => recording === undefined || id === recording)
      .flatMap(({ sdkVersions }) => sdkVersions)
      .sort((a, b) => compareVersions(b, a));
    const asked = c.req.query("version");
    const version = versions.find((version) => rrdVersionText(version) === asked);
    const form = c.req.query("format") ?? "current";
    if (!isForm(form)) return c.text("format is current or as-sent\n", 400);
    if (asked !== undefined && version === undefined) {
      return c.text(`There is nothing of that version, but of: ${textOf(versions)}\n`, 404);
    }
    const download = !["0", "false", undefined].includes(c.req.query("download"));
    c.header("content-type", "application/octet-stream");
    // With a file name also for a recording that grows, in case somebody saves it.
    if (download || recording !== undefined) {
      c.header("content-disposition", attachment(recording ?? "stream"));
    }
    const until = download ? "now" : undefined;
    const wish = wishOf((name) => c.req.query(name), until);
    if (typeof wish === "string") return textResponse(400, wish);
    if (c.req.method === "HEAD") {
      return hub.refusal === undefined ? c.body(null) : c.body(null, 503, RETRY_LATER);
    }
    const encoding = new OneEncoding({
      form,
      ...(version === undefined ? { newest: versions[0] } : { version }),
    });
    const viewer = joinHub(hub, c.req.raw, c.env ?? {}, {
      transport: "http",
      order: "arrival",
      accepts: encoding.accepts,
      onLeftOut,
      ...(until === undefined ? {} : { until }),
      ...(recording === undefined ? {} : { recording }),
    });
    if (viewer instanceof Response) return viewer;
    const isBrowser = c.req.header("user-agent")?.startsWith("Mozilla/") ?? false;
    const patience = isBrowser ? BROWSER_PATIENCE : 1;
    return c.body(rrdStream({ hub, viewer, encoding, stalls, patience }));
  };
}

function isForm(text: string): text is StreamForm {
  return text === "current" || text === "as-sent";
}

function textOf(versions: readonly RrdVersion[]): string {
  return [...new Set(versions.map(rrdVersionText))].join(", ") || "none";
}
