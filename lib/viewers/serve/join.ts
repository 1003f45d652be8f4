/**
 * How a request becomes a viewer.
 *
 * @module
 */
import { checkGiven, hasMethods } from "../../base/check_arguments.ts";
import { formatAddr, type NetAddr } from "../../base/net_addr.ts";
import { HubClosed, TooManyViewers } from "../../base/errors.ts";
import { textResponse } from "../../base/text_response.ts";
import type { JoinOptions, Viewer, ViewerHub } from "../types.ts";

/** What is known of a request's connection. */
export interface ConnectionInfo {
  /** Absent where the transport has none. */
  readonly remoteAddr?: NetAddr;
  /** What was asked for, where an app that is mounted in another sees only a part of it. */
  readonly url?: string;
}

/** Where there is no room now. */
export const RETRY_LATER = { "retry-after": "10" };

/**
 * Joins the hub as a request's address asks for: `history=none`, `recording=ID`, `latency=2s`.
 *
 * @returns the answer that refuses it, if there is no room or the address makes no sense
 */
export function joinHub(
  hub: ViewerHub,
  request: Request,
  { remoteAddr }: ConnectionInfo,
  options: JoinOptions,
): Viewer | Response {
  const query = new URL(request.url).searchParams;
  const history = query.get("history") ?? "all";
  if (history !== "all" && history !== "none") {
    return textResponse(400, "history is all or none");
  }
  const latencySec = latencyOf(query.get("latency"));
  if (latencySec === 0) return textResponse(400, "latency is a time such as 2s or 500ms, or never");
  const recording = options.recording ?? query.get("recording");
  try {
    return hub.join({
      ...options,
      history,
      ...(latencySec === undefined ? {} : { latencySec }),
      ...(remoteAddr === undefined ? {} : { addr: formatAddr(remoteAddr) }),
      ...(recording === null ? {} : { recording }),
    });
  } catch (error) {
    if (!(error instanceof TooManyViewers) && !(error instanceof HubClosed)) throw error;
    return textResponse(503, error.message, RETRY_LATER);
  }
}

/**
 * A latency as an address or a call has it, in seconds.
 *
 * @returns `undefined`: none is asked for; 0: it makes no sense
 */
export function latencyOf(text: string | null | undefined): number | undefined {
  if (text === null || text === undefined) return undefined;
  if (text === "never") return Infinity;
  const [, number, unit] = /^(\d{1,9}(?:\.\d{1,9})?)(ms|s|m)$/.exec(text) ?? [];
  if (number === undefined) return 0;
  return Number(number) * (unit === "ms" ? 0.001 : unit === "m" ? 60 : 1);
}

/**
 * Refuses what is no hub.
 *
 * @param taker the function that needs one
 * @param hub what was passed
 * @throws {TypeError} that names the function
 */
export function checkHub(taker: string, hub: unknown): void {
  checkGiven(taker, "a hub, as viewerHub() gives", hasMethods(hub, "join", "write"), hub);
}
