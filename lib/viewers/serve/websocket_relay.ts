/**
 * Gives native and web viewers 0.16 to 0.22 what the hub has, over WebSocket, as Rerun's own
 * servers did.
 *
 * @module
 */
import { checkOptions } from "../../base/check_arguments.ts";
import type { HttpRequestInfo, ViewerSocket } from "../../adapters/http/types.ts";
import { textResponse } from "../../base/text_response.ts";
import { checkHub, joinHub } from "./join.ts";
import { STALL_NAMES, type StallOptions, StallWatch } from "./stall_watch.ts";
import { checkGuard, type Guard, viewerGuard } from "./guard.ts";
import type { Viewer, ViewerHub } from "../types.ts";
import { FAREWELL, SLICE_BYTES } from "./farewell.ts";

/**
 * More is taken from the hub while less than this waits in the socket, in bytes. What waits there can't
 * be left out any more: a quarter of a megabyte made pictures on a link of 1 MB/s almost a second older.
 */
const BACKLOG_BYTES = 64 * 1024;

/** Options of the relay; all may be left out. */
export interface WebSocketRelayOptions extends StallOptions {
  /** Who may ask; default this machine alone. */
  readonly guard?: Guard;
}

/**
 * Answers requests for a WebSocket by sending all that the hub has and gets: at the HTTP adapter's
 * `fetch`, or under any address of an app that this serves. An app that another server serves upgrades
 * the request itself, and calls {@linkcode relaySocket}.
 *
 * `?history=none` starts at now, `?history=newest-first` has the live edge first, `?recording=ID` gives that recording alone.
 *
 * @param hub where viewers join
 * @param options who may ask, and for how long a viewer may take nothing
 * @throws {TypeError} if there is no hub, or no such option
 *
 * @example
 * ```ts
 * import { viewerHub, websocketRelay } from "@rerelay/server/viewers";
 * import { assertEquals } from "@std/assert";
 *
 * const relay = websocketRelay(viewerHub());
 * // As serveHttp({ …, fetch: relay }) asks it; here by a client that wants no WebSocket:
 * const response = relay(new Request("http://localhost:9877/"), { upgrade: () => undefined });
 * assertEquals(response.status, 426);
 * ```
 */
export function websocketRelay(
  hub: ViewerHub,
  options: WebSocketRelayOptions = {},
): (request: Request, info: HttpRequestInfo) => Response {
  checkHub("websocketRelay", hub);
  checkOptions("websocketRelay", options, { ...STALL_NAMES, guard: true });
  checkGuard("websocketRelay", options.guard);
  const { guard = viewerGuard() } = options;
  const stalls = new StallWatch(options, hub);
  return (request, info) => {
    const refusal = guard.refuse(request) ?? guard.refuseToken(request);
    if (refusal !== undefined) return refusal;
    // Bun's own server has an `upgrade`, too, but it takes the request.
    if (typeof info?.upgrade !== "function" || info.upgrade.length > 0) {
      return textResponse(
        501,
        "websocketRelay answers at serveHttp: elsewhere, upgrade the request and call relaySocket(hub, socket)",
      );
    }
    const upgraded = info.upgrade();
    if (upgraded === undefined) {
      const text = "Rerun viewers 0.16 to 0.22 connect here by WebSocket: rerun ws://HOST:PORT";
      return textResponse(426, text, { upgrade: "websocket", "sec-websocket-version": "13" });
    }
    const viewer = joinHub(hub, request, info, { transport: "websocket" });
    if (viewer instanceof Response) return viewer;
    upgraded.socket.then((socket) => relay(viewer, socket, stalls))
      .catch(() => viewer.close("failed"));
    return upgraded.response;
  };
}

async function relay(
  viewer: Viewer,
  socket: ViewerSocket,
  stalls: StallWatch,
): Promise<void> {
  let open = true;
  socket.closed.then(() => {
    open = false;
    viewer.close("left");
  });
  // Of a closed hub the viewer still gets what waits; one that is cut off is closed at once.
  viewer.left.then((gone) => gone !== "closed" && socket.close(...FAREWELL[gone]));
  const unwatch = stalls.add({
    get waits() {
      return socket.bufferedBytes > 0;
    },
    get taken() {
      return socket.sentBytes;
    },
    addr: viewer.options.addr,
    cut: () => viewer.close("stalled"),
  });
  try {
    for (;;) {
      // Waits, so that what it takes then is as fresh as possible.
      while (open && socket.bufferedBytes >= BACKLOG_BYTES) await socket.progress();
      const frames = await viewer.nextFrames(SLICE_BYTES);
      if (frames === undefined) break;
      if (!open || (viewer.gone ?? "closed") !== "closed") return frames.done();
      socket.sendFrames(frames.pieces, frames.done);
      viewer.sent(frames.messages, frames.bytes);
    }
  } finally {
    unwatch();
    viewer.close("closed");
    socket.close(...FAREWELL[viewer.gone ?? "closed"]);
  }
}
