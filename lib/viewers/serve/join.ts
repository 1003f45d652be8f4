/**
 * Lets a request join the hub as a viewer.
 *
 * @module
 */
import { checkGiven, hasMethods } from "../../base/check_arguments.ts";
import { formatAddr, type NetAddr } from "../../base/net_addr.ts";
import { HubClosed, TooManyViewers } from "../../base/errors.ts";
import { textResponse } from "../../base/text_response.ts";
import type { History, JoinOptions, Viewer, ViewerHub } from "../types.ts";

/** What is known of a request's connection. */
export interface ConnectionInfo {
  /** Address of the client; absent if the transport has none. */
  readonly remoteAddr?: NetAddr;
  /**
   * The URL as it was asked for: an app that is mounted in another one sees only a part of it in
   * its request.
   */
  readonly url?: string;
}

/** Address of who makes a request, as text; `undefined` where it is not known. */
export function readerOf({ remoteAddr }: Partial<ConnectionInfo> = {}): string | undefined {
  return remoteAddr && formatAddr(remoteAddr);
}

/** The header for "try again in 10 s". */
export const RETRY_LATER = { "retry-after": "10" };

/**
 * Joins the hub as a request's address asks: `history=none`, `recording=ID`, `latency=2s`,
 * `name=NAME`.
 *
 * @returns the viewer, or the answer that refuses it if there is no room or the address makes no
 * sense
 */
export function joinHub(
  hub: ViewerHub,
  request: Request,
  { remoteAddr }: ConnectionInfo,
  options: JoinOptions,
): Viewer | Response {
  const query = new URL(request.url).searchParams;
  const wish = wishOf((name) => query.get(name), options.until);
  if (typeof wish === "string") return textResponse(400, wish);
  const recording = options.recording ?? query.get("recording");
  try {
    return hub.join({
      ...options,
      ...wish,
      ...(remoteAddr === undefined ? {} : { addr: formatAddr(remoteAddr) }),
      ...(recording === null ? {} : { recording }),
    });
  } catch (error) {
    if (!(error instanceof TooManyViewers) && !(error instanceof HubClosed)) throw error;
    return textResponse(503, error.message, RETRY_LATER);
  }
}

/** What viewers at all doors may ask for. */
export type Wish = Pick<JoinOptions, "history" | "latencySec" | "name">;

/**
 * Reads what a viewer asks for, in an address or a call.
 *
 * @param valueOf gives the value of `history`, `latency` or `name`
 * @param until where the stream ends
 * @returns the wish, or a text that says what makes no sense
 */
export function wishOf(
  valueOf: (name: string) => string | null | undefined,
  until?: JoinOptions["until"],
): Wish | string {
  const history = valueOf("history") ?? undefined;
  if (history !== undefined && !isHistory(history)) return "history is all, none or newest-first";
  if (until !== undefined && history === "none") {
    return "A download ends with the newest message that is there, and history=none leaves out all of " +
      "these: ask for one of both";
  }
  if (until !== undefined && history === "newest-first") {
    return "A download is in the order of arrival: ask for it without history=newest-first";
  }
  const latencySec = latencyOf(valueOf("latency"));
  if (latencySec === 0) return "latency is a time such as 2s or 500ms, or never";
  const name = valueOf("name") ?? undefined;
  if (name !== undefined && !/^[\w.-]{1,64}$/.test(name)) {
    return "name is up to 64 letters, digits, dots, dashes and underscores";
  }
  return {
    ...(history === undefined ? {} : { history }),
    ...(latencySec === undefined ? {} : { latencySec }),
    ...(name === undefined ? {} : { name }),
  };
}

function isHistory(text: string): text is History {
  return text === "all" || text === "none" || text === "newest-first";
}

/**
 * Reads a latency, in seconds.
 *
 * @returns `undefined` if none is asked for; 0 if it makes no sense
 */
function latencyOf(text: string | null | undefined): number | undefined {
  if (text === null || text === undefined) return undefined;
  if (text === "never") return Infinity;
  const [, number, unit] = /^(\d{1,9}(?:\.\d{1,9})?)(ms|s|m)$/.exec(text) ?? [];
  if (number === undefined) return 0;
  return Number(number) * (unit === "ms" ? 0.001 : unit === "m" ? 60 : 1);
}

/**
 * Refuses what is not a hub.
 *
 * @param taker the function that needs one
 * @param hub what was passed
 * @throws {TypeError} that names the function
 */
export function checkHub(taker: string, hub: unknown): void {
  checkGiven(taker, "a hub, as viewerHub() gives", hasMethods(hub, "join", "write"), hub);
}
