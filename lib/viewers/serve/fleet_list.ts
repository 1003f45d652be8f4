/**
 * The boxes that send by NATS, as `/fleet` lists them.
 *
 * @module
 */
import type { FleetBox, FleetRecording } from "../../server/nats_fleet.ts";
import { SILENT_SEC } from "../../server/nats_fleet.ts";
import { listed, listQuery } from "../files/list_query.ts";
import type { ServerStatus } from "./status.ts";
import { textResponse } from "../../base/text_response.ts";

/** A recording of a box, in `/fleet`. */
export interface FleetRecordingJson extends FleetRecording {
  /** Whether something came from it in the last minute. */
  readonly live: boolean;
}

/** A box as `/fleet` lists it. */
export interface FleetBoxJson extends Omit<FleetBox, "order" | "recordings"> {
  /** Whether something came from it in the last minute. */
  readonly live: boolean;
  /** How many of its recordings are remembered. */
  readonly recordings: number;
  /** How many of its recordings are live. */
  readonly liveRecordings: number;
  /** Its recordings that were heard of last, at most five. */
  readonly newest: readonly FleetRecordingJson[];
}

const LIMIT = 200;
/** How many recordings of one box are listed. */
const MOST_RECORDINGS = 5;

/**
 * Answers with the boxes that an address asks for; the box that was first heard of stands last.
 *
 * @param status lists the boxes
 * @param query of the address
 * @param timeMs when they were counted, by the clock of `/status`: a busy page may have asked for that long
 * before
 */
export function fleetAnswer(
  { fleet }: ServerStatus,
  query: Readonly<Record<string, string>>,
  timeMs: number,
): Response {
  const boxes = fleet?.();
  if (boxes === undefined) return textResponse(404, "Nothing is received from boxes: give --from");
  const wish = listQuery(query, LIMIT);
  if (typeof wish === "string") return textResponse(400, wish);
  const { page, found } = listed(boxes, wish, ({ box, order, bytes, recordings }) => ({
    ...{ name: box, lastMs: order, bytes },
    // Made only where something is searched for.
    get texts() {
      return recordings.flatMap(({ id, applicationId }) => [id, applicationId]);
    },
  }));
  return Response.json(page.map(boxJson), {
    headers: { "x-total-count": String(found), "x-time-ms": String(timeMs) },
  });
}

function boxJson({ order: _order, recordings, ...box }: FleetBox): FleetBoxJson {
  const isLive = ({ silentSec }: { silentSec: number }) => silentSec < SILENT_SEC;
  return {
    ...box,
    live: isLive(box),
    recordings: recordings.length,
    liveRecordings: recordings.filter(isLive).length,
    newest: recordings.slice(0, MOST_RECORDINGS)
      .map((recording) => ({ ...recording, live: isLive(recording) })),
  };
}
