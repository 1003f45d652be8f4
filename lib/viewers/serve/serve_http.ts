import {
  checkCallable,
  checkGiven,
  checkOptions,
  type OptionNames,
} from "../../base/check_arguments.ts";
import {
  checkCount,
  checkObject,
  checkPort,
  checkPositive,
  checkText,
} from "../../base/check_options.ts";
import { loadHttpAdapter } from "../../adapters/load.ts";
import type { BodyLimits, HttpDoor, HttpListener, HttpOptions } from "../../adapters/http/types.ts";
import { reason } from "../../base/errors.ts";
import { consoleLog } from "../../base/log.ts";

/** Options of {@linkcode serveHttp}; those of the adapter, with defaults. */
export type ServeHttpOptions = Partial<Omit<HttpOptions, "fetch" | "port">> & {
  /** Port to listen on; 0 takes a free one. */
  readonly port: number;
  /** Answers a request, such as a relay, or the `fetch` of an app. */
  // deno-lint-ignore no-explicit-any -- a hono app types its second parameter as its own bindings
  readonly fetch: (request: Request, info: any) => Response | Promise<Response>;
};

/**
 * Serves an HTTP app or a WebSocket relay, over the HTTP of the runtime it runs on.
 *
 * A request has 10 s for its headers and at most 16 KiB of them; there are 4096 connections at most.
 *
 * @param options where, and what answers
 * @throws {TcpBindError} if the address can't be bound
 * @throws {TypeError} if nothing answers, or there is no such option
 * @throws {RangeError} if an option is out of its range
 *
 * @example
 * ```ts
 * import { serveHttp } from "@rerelay/server/viewers";
 * import { assertEquals } from "@std/assert";
 *
 * const listener = await serveHttp({ port: 0, fetch: () => new Response("hello") });
 * const response = await fetch(`http://127.0.0.1:${listener.addr.port}/`);
 * assertEquals(await response.text(), "hello");
 * await listener.close();
 * ```
 */
export async function serveHttp(options: ServeHttpOptions): Promise<HttpListener> {
  checkServing("serveHttp", options, { ...NAMES, port: true, isAllowed: true });
  checkPort(options.port);
  const adapter = await loadHttpAdapter();
  return await adapter.serve({ hostname: "127.0.0.1", ...defaults(), ...given(options) });
}

/**
 * Serves an HTTP app over connections that come to a port of another protocol: pass its `take` as
 * the door `http` of a server for SDKs.
 *
 * @param options what answers; limits as those of {@linkcode serveHttp}
 *
 * @example
 * ```ts
 * import { memoryTcp, Server, silentLog } from "@rerelay/server/core";
 * import { httpDoor } from "@rerelay/server/viewers";
 * import { assertEquals } from "@std/assert";
 *
 * const door = await httpDoor({ fetch: () => new Response("hello") });
 * const net = memoryTcp();
 * await using server = await Server.listen(net, { log: silentLog, doors: { http: door.take } });
 * assertEquals(server.addr.port, 9876); // SDKs and browsers come to it
 * ```
 */
export async function httpDoor(
  options: Omit<ServeHttpOptions, "port" | "isAllowed">,
): Promise<HttpDoor> {
  checkServing("httpDoor", options, NAMES);
  const adapter = await loadHttpAdapter();
  return adapter.door({ ...defaults(), ...given(options) });
}

const NAMES: OptionNames<Omit<ServeHttpOptions, "port" | "isAllowed">> = {
  ...{ hostname: true, fetch: true, bodies: true, handshakeTimeoutSec: true },
  ...{ maxConnections: true, onError: true },
};
const BODIES: OptionNames<BodyLimits> = { maxBytes: true, timeoutSec: true };

function checkServing<T extends Omit<ServeHttpOptions, "port">>(
  taker: string,
  options: T,
  names: OptionNames<T>,
): void {
  checkOptions(taker, options, names);
  const { fetch, bodies, hostname, maxConnections, handshakeTimeoutSec } = options;
  const isFunction = typeof fetch === "function";
  checkGiven(taker, "fetch, a function that answers requests", isFunction, fetch);
  if (hostname !== undefined) checkText("hostname", hostname);
  if (maxConnections !== undefined) checkCount("maxConnections", maxConnections);
  if (handshakeTimeoutSec !== undefined) checkPositive("handshakeTimeoutSec", handshakeTimeoutSec);
  checkCallable(options, ["onError", "isAllowed"]);
  checkObject("bodies", bodies, "{ maxBytes: 1e6 }");
  checkOptions("bodies", bodies ?? {}, BODIES);
  for (const [name, value] of Object.entries(bodies ?? {})) {
    if (value !== undefined) checkPositive(`bodies.${name}`, value);
  }
}

/** An option that is passed as `undefined` means its default. */
function given<T extends object>(options: T): T {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as T;
}

function defaults() {
  const log = consoleLog();
  return {
    handshakeTimeoutSec: 10,
    maxConnections: 4096,
    onError: (error: unknown) =>
      log.write("error", `A request was not answered: ${reason(error)}`, {
        kind: "request failed",
      }),
  };
}
