/**
 * How a request becomes a viewer.
 *
 * @module
 */
import { formatAddr } from "../../adapters/net_addr.ts";
import type { NetAddr } from "../../adapters/types.ts";
import { HubClosed, TooManyViewers } from "../../errors.ts";
import type { JoinOptions, Viewer, ViewerHub } from "./types.ts";

/** What is known of a request's connection. */
export interface ConnectionInfo {
  /** Absent where the transport has none. */
  readonly remoteAddr?: NetAddr;
}

/**
 * Joins the hub as a request's address asks for: `history=none`, `recording=ID`.
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
    return new Response("history is all or none\n", { status: 400 });
  }
  const recording = options.recording ?? query.get("recording");
  try {
    return hub.join({
      ...options,
      history,
      ...(remoteAddr === undefined ? {} : { addr: formatAddr(remoteAddr) }),
      ...(recording === null ? {} : { recording }),
    });
  } catch (error) {
    if (!(error instanceof TooManyViewers) && !(error instanceof HubClosed)) throw error;
    return new Response(`${error.message}\n`, { status: 503, headers: { "retry-after": "10" } });
  }
}
