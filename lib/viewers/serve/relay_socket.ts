/**
 * Gives a viewer what the hub has, over a WebSocket that your own app has upgraded.
 *
 * @module
 */
import { checkCallable, checkOptions, type OptionNames } from "../../base/check_arguments.ts";
import { checkHub } from "./join.ts";
import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import { viewerFrame } from "../../encoding/bincode/bincode_log_msg.ts";
import type { JoinOptions, ViewerGone, ViewerHub } from "../types.ts";
import { STALL_NAMES, type StallOptions, StallWatch } from "./stall_watch.ts";
import { FAREWELL, SLICE_BYTES } from "./farewell.ts";
import {
  type BunWebSocket,
  givenSocket,
  type RelayWebSocket,
  type WrappedWebSocket,
} from "./given_socket.ts";

export type { BunWebSocket, RelayWebSocket, WrappedWebSocket } from "./given_socket.ts";

/** Options of {@linkcode relaySocket}; all may be left out. */
export interface RelaySocketOptions
  extends StallOptions, Pick<JoinOptions, "addr" | "history" | "latencySec" | "recording"> {
  /** Waits for so many milliseconds; default by a timer. */
  readonly delay?: Clock["delay"];
}

const NAMES: OptionNames<RelaySocketOptions> = {
  ...{ ...STALL_NAMES, addr: true, history: true, latencySec: true, recording: true, delay: true },
};

/** How often it is looked whether the socket has room again, in milliseconds. */
const LOOK_MS = 10;

/** More is sent while less than this waits in the socket, in bytes: as much as a fast link takes between two looks. */
const BACKLOG_BYTES = 256 * 1024;

/**
 * Sends all that the hub has and gets to a viewer 0.16 to 0.22, over a WebSocket that the serving
 * app has upgraded. That app decides who may ask.
 *
 * @param hub where the viewer joins
 * @param given connecting or open: a WebSocket of the Web, Bun's `ServerWebSocket`, or what hono hands to
 * `onOpen`
 * @param options which messages, and for how long the viewer may take nothing
 * @returns resolves when it is over, to the reason
 * @throws {TypeError} if it is not a WebSocket, there is no hub, or no such option
 * @throws {TooManyViewers} if there is no place
 * @throws {HubClosed} if the hub is closed
 *
 * @example
 * ```ts
 * import { relaySocket, viewerHub } from "@rerelay/server/viewers";
 *
 * const hub = viewerHub();
 * function handler(request: Request): Response {
 *   const { socket, response } = Deno.upgradeWebSocket(request);
 *   void relaySocket(hub, socket);
 *   return response;
 * }
 * ```
 */
export async function relaySocket(
  hub: ViewerHub,
  given: RelayWebSocket | BunWebSocket | WrappedWebSocket,
  options: RelaySocketOptions = {},
): Promise<ViewerGone> {
  checkHub("relaySocket", hub);
  checkOptions("relaySocket", options, NAMES);
  checkCallable(options, ["delay"]);
  const { delay = SYSTEM_CLOCK.delay } = options;
  const webSocket = givenSocket(given, delay);
  const { addr, history, latencySec, recording } = options;
  const viewer = hub.join({
    transport: "websocket",
    ...(addr !== undefined && { addr }),
    ...(history !== undefined && { history }),
    ...(latencySec !== undefined && { latencySec }),
    ...(recording !== undefined && { recording }),
  });
  webSocket.binaryType = "arraybuffer";
  const opened = new Promise<void>((resolve) => {
    if (webSocket.readyState > 0) resolve();
    for (const event of ["open", "close", "error"] as const) {
      webSocket.addEventListener(event, resolve);
    }
  });
  webSocket.addEventListener("close", () => viewer.close("left"));
  webSocket.addEventListener("error", () => viewer.close("failed"));
  let sent = 0;
  const unwatch = new StallWatch(options, hub).add({
    get waits() {
      return webSocket.bufferedAmount > 0;
    },
    get taken() {
      return sent - webSocket.bufferedAmount;
    },
    addr,
    cut: () => viewer.close("stalled"),
  });
  const isOver = () => (viewer.gone ?? "closed") !== "closed" || webSocket.readyState > 1;
  try {
    await opened;
    for (;;) {
      const messages = await viewer.next(SLICE_BYTES);
      if (messages === undefined || isOver()) break;
      for (const msg of messages) {
        while (webSocket.bufferedAmount >= BACKLOG_BYTES && !isOver()) await delay(LOOK_MS);
        const frame = viewerFrame(msg);
        // `/status` counts messages that have no frame.
        if (typeof frame === "string" || isOver()) continue;
        webSocket.send(frame);
        sent += frame.length;
        viewer.sent(1, frame.length);
      }
    }
  } catch (error) {
    viewer.close("failed");
    throw error;
  } finally {
    unwatch();
    viewer.close("closed");
    if (webSocket.readyState <= 1) webSocket.close(...farewell(viewer.gone ?? "closed"));
  }
  return viewer.gone ?? "closed";
}

/** A close code that a program may send: most codes of the protocol are reserved for browsers. */
function farewell(gone: ViewerGone): [number, string] {
  const [code, reason] = FAREWELL[gone];
  return [code === 1000 ? code : 4000 + code % 1000, reason];
}
