/**
 * The status for the page's panel and for monitoring.
 *
 * @module
 */
import type { NetAddr } from "../../base/net_addr.ts";
import type { ForwardStats } from "../../forward/counts.ts";
import { sourceText } from "../../flow/channel/smart_message.ts";
import type { FromNatsStats } from "../../server/from_nats.ts";
import type { FleetBox } from "../../server/nats_fleet.ts";
import type { ServerStats } from "../../server/server_stats.ts";
import type { SinkStats } from "../../sinks/fan_out.ts";
import type { Tally } from "../../base/tally.ts";
import { type DownloadStats, NO_DOWNLOADS } from "../files/downloads.ts";
import type { HubStats, ViewerHub } from "../types.ts";
import type { RecordingSummary } from "../../stores/recordings.ts";

/** What is known besides the hub's own counts; all may be left out. */
export interface ServerStatus {
  /** `server.stats`. */
  readonly stats?: ServerStats;
  /** `server.addr`: where SDKs connect to. */
  readonly addr?: NetAddr;
  /** `server.latencySec`. */
  readonly latencySec?: number;
  /** `receiver.stats` of the fan-out. */
  readonly sinks?: readonly SinkStats[];
  /** What files hold, such as a file sink's `kept`. */
  readonly files?: Tally;
  /** Files that viewers read; an app fills it in by itself. */
  readonly downloads?: DownloadStats;
  /** What is received from NATS: `feed.stats` of `fromNats`. */
  readonly nats?: FromNatsStats;
  /** The boxes that it comes from, for `/fleet`: `() => feed.boxes`. */
  readonly fleet?: () => readonly FleetBox[];
  /** State of each target that recordings are forwarded to. */
  readonly forwarding?: readonly ForwardStats[];
}

/** One recording, as `/recordings` lists it. */
export interface RecordingJson {
  /** The recording id as the SDK chose it. */
  readonly id: string;
  /** Empty for one that was never announced. */
  readonly applicationId: string;
  /** Version of the SDK, or `null`; of several that logged to it, the newest. */
  readonly sdk: string | null;
  /** What made it, such as `Python 3.11.7`. */
  readonly source: string;
  /** Nanoseconds since the Unix epoch, as text: they do not fit into a number. */
  readonly startedNs: string;
  /** When its first message came, in ISO 8601. */
  readonly first: string;
  /** When its last message came, in ISO 8601. */
  readonly last: string;
  /** When its first message came, in milliseconds since the Unix epoch. */
  readonly firstMs: number;
  /** When its last message came, in milliseconds since the Unix epoch. */
  readonly lastMs: number;
  /** Messages that came for it. */
  readonly messages: number;
  /** Their bytes. */
  readonly bytes: number;
  /** Whether a client that has logged to it is still connected. */
  readonly live: boolean;
  /** The address of its stream: a path below that of the app. */
  readonly url: string;
}

/** What `/status` gives. */
export interface StatusJson {
  /**
   * When this was taken, in milliseconds of the server's monotonic clock, so that rates can be
   * computed.
   */
  readonly timeMs: number;
  /** The port that SDKs connect to, or `null`. */
  readonly sdkPort: number | null;
  /** How far receiving is behind, in seconds: the largest of all clients. */
  readonly latencySec: number;
  /** The share of the frames that is accepted, 0.01 to 1, of the client with the lowest one. */
  readonly acceptRate: number;
  /** Log messages received. */
  readonly messages: number;
  /** Their bytes. */
  readonly bytes: number;
  /** How many clients are connected, and were ever. */
  readonly connections: ServerStats["connections"];
  /** What was dropped of what came. */
  readonly dropped: Tally;
  /** What waits to be taken. */
  readonly queued: Tally;
  /** Bytes held for clients before that: unfinished packets, and what was read and waits. */
  readonly unfinishedBytes: number;
  /** How many recordings there are. */
  readonly recordings: number;
  /** The connected clients. */
  readonly clients: readonly ClientJson[];
  /** Viewers and their history. */
  readonly hub: HubStats;
  /** How each sink does. */
  readonly sinks: readonly SinkStats[];
  /** What files hold. */
  readonly files: Tally;
  /** Files that viewers read. */
  readonly downloads: DownloadStats;
  /** What is received from NATS, or `null`. */
  readonly nats: FromNatsStats | null;
  /** State of each target that recordings are forwarded to. */
  readonly forwarding: readonly ForwardStats[];
}

/** A connected client, in `/status`. */
export interface ClientJson extends Tally {
  /** Counts up from 1. */
  readonly id: number;
  /** Such as `tcp://127.0.0.1:50094`. */
  readonly addr: string;
  /** How far receiving is behind with it, in seconds. */
  readonly latencySec: number;
  /** The share of its frames that is accepted, 0.01 to 1. */
  readonly acceptRate: number;
}

const NONE: Tally = { messages: 0, bytes: 0 };

/**
 * Makes the JSON of a recording.
 *
 * @param summary as the hub has it
 */
export function recordingJson(summary: RecordingSummary): RecordingJson {
  const { id, applicationId, sdk, source, startedNs, firstMs, lastMs } = summary;
  const { messages, bytes, live } = summary;
  return {
    id,
    applicationId,
    sdk: sdk ?? null,
    source,
    startedNs: startedNs.toString(),
    first: new Date(firstMs).toISOString(),
    last: new Date(lastMs).toISOString(),
    firstMs,
    lastMs,
    messages,
    bytes,
    live,
    url: `recordings/${encodeURIComponent(id.toWellFormed())}.rrd`,
  };
}

/**
 * Makes the JSON of all counts.
 *
 * @param hub where viewers are
 * @param status of the server
 * @param timeMs monotonic
 */
export function statusJson(hub: ViewerHub, status: ServerStatus, timeMs: number): StatusJson {
  const { stats, latencySec = 0, sinks = [], files = NONE } = status;
  const { throttled = NONE, overflow = NONE } = stats?.dropped ?? {};
  const { badArrow = NONE } = stats ?? {};
  return {
    timeMs,
    sdkPort: status.addr?.port ?? null,
    latencySec,
    acceptRate: stats?.acceptRate ?? 1,
    messages: stats?.messages ?? 0,
    bytes: stats?.bytes ?? 0,
    connections: stats?.connections ?? { open: 0, total: 0, refused: 0 },
    dropped: {
      messages: throttled.messages + overflow.messages + badArrow.messages,
      bytes: throttled.bytes + overflow.bytes + badArrow.bytes,
    },
    queued: stats?.queued ?? NONE,
    unfinishedBytes: stats?.unfinishedBytes ?? 0,
    recordings: hub.recordings.length,
    clients: (stats?.clients ?? []).map(({ source, messages, bytes, latencySec, acceptRate }) => ({
      id: source.id,
      addr: sourceText(source),
      messages,
      bytes,
      latencySec,
      acceptRate,
    })),
    hub: hub.stats,
    sinks,
    files,
    downloads: status.downloads ?? NO_DOWNLOADS,
    nats: status.nats ?? null,
    forwarding: status.forwarding ?? [],
  };
}
