/**
 * Metrics in Prometheus' text format, version 0.0.4.
 *
 * @module
 */
import type { Tally } from "../../base/tally.ts";
import type { ForwardStats } from "../../forward/counts.ts";
import { type ServerStatus, statusJson } from "./status.ts";
import type { ViewerHub, ViewerTotals } from "../types.ts";
import { counter, gauge, type Sample } from "./_metric_family.ts";

/** The format's media type. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Counts of the HTTP app itself. */
export interface HttpCounts {
  /** Requests that failed for a fault of the server. */
  readonly errors: number;
  /** Messages that did not fit under the header of an RRD stream. */
  readonly otherEncoding: number;
  /**
   * Messages that readers by gRPC were not given, because their viewers do not understand the SDK's
   * data.
   */
  readonly otherData: number;
}

/**
 * All counts as text.
 *
 * @param hub the hub of viewers
 * @param status of the server
 * @param http of the HTTP app
 */
export function metricsText(hub: ViewerHub, status: ServerStatus, http: HttpCounts): string {
  const { stats } = status;
  const { sinks, files, downloads, forwarding, nats, ...all } = statusJson(hub, status, 0);
  const { history, viewers, totals, gone, leftOut, clientErrors, bridge, ...held } = all.hub;
  const of = (unit: keyof Tally, tallies: Readonly<Record<string, Tally>>, label: string) =>
    Object.entries(tallies).map(([name, tally]): Sample => [tally[unit], { [label]: name }]);
  const reasons = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts).map(([reason, count]): Sample => [count, { reason }]);
  const perSink = (value: (sink: typeof sinks[number]) => number) =>
    sinks.map((sink): Sample => [value(sink), { sink: sink.name }]);
  const perTarget = (value: (stats: ForwardStats) => number) =>
    forwarding.map((stats): Sample => [value(stats), { target: stats.target }]);
  const perViewer = (value: (viewer: typeof viewers[number]) => number) =>
    viewers.map((viewer): Sample => [
      value(viewer),
      { viewer: String(viewer.id), transport: viewer.transport },
    ]);
  const perDoor = (value: (totals: ViewerTotals) => number) =>
    Object.entries(totals).map(([transport, all]): Sample => [value(all), { transport }]);
  const on = (transport: string) => viewers.filter((v) => v.transport === transport).length;
  const dropped = stats === undefined ? {} : { ...stats.dropped, badArrow: stats.badArrow };
  return [
    gauge("clients", "SDKs connected now", all.connections.open),
    counter(
      "connections",
      "Connections to the port for SDKs so far, of probes and viewers too",
      all.connections.total,
    ),
    counter(
      "connections_refused",
      "Connections to the port for SDKs that were refused for their address",
      all.connections.refused,
    ),
    counter("client_errors", "SDKs that left with an error", clientErrors),
    counter("received_messages", "Log messages received", all.messages),
    counter("received_bytes", "Bytes of log messages received", all.bytes),
    counter("dropped_messages", "Log messages dropped", of("messages", dropped, "cause")),
    counter("dropped_bytes", "Bytes of dropped log messages", of("bytes", dropped, "cause")),
    gauge(
      "latency_seconds",
      "How far receiving is behind, the largest of all SDKs",
      all.latencySec,
    ),
    gauge(
      "accept_ratio",
      "Share of its frames that is accepted, the lowest of all SDKs",
      all.acceptRate,
    ),
    gauge("queued_messages", "Messages that wait to be taken", all.queued.messages),
    gauge("queued_bytes", "Memory of messages that wait to be taken", all.queued.bytes),
    gauge(
      "unfinished_bytes",
      "Memory of what SDKs sent that is not whole, or was read and waits",
      all.unfinishedBytes,
    ),
    gauge("recordings", "Recordings seen", all.recordings),
    gauge("history_messages", "Messages kept for late viewers", history.messages),
    gauge("history_bytes", "Bytes kept for late viewers", history.bytes),
    gauge(
      "history_protected_bytes",
      "Bytes kept for late viewers that are never dropped first",
      history.protected.bytes,
    ),
    gauge(
      "held_bytes",
      "Memory of history and of what sockets of viewers still hold",
      held.heldBytes,
    ),
    gauge(
      "held_limit_bytes",
      "Limit of the memory of history and of what sockets of viewers still hold",
      held.limitBytes,
    ),
    counter("evicted_messages", "Messages dropped from history", history.evicted.messages),
    counter("evicted_bytes", "Bytes dropped from history", history.evicted.bytes),
    gauge("viewers", "Viewers connected now", [
      [on("websocket"), { transport: "websocket" }],
      [on("http"), { transport: "http" }],
      [on("grpc"), { transport: "grpc" }],
    ]),
    gauge(
      "viewer_backlog_bytes",
      "Bytes of history behind the place of a viewer that had caught up",
      perViewer((v) => v.backlog.bytes),
    ),
    counter(
      "viewer_skipped_messages",
      "Messages dropped from history before a viewer took them",
      perViewer((v) => v.skipped.messages),
    ),
    counter(
      "viewer_skipped_bytes",
      "Bytes dropped from history before a viewer took them",
      perViewer((v) => v.skipped.bytes),
    ),
    gauge(
      "viewer_age_seconds",
      "Age of the oldest message that a viewer was not given, since it joined",
      perViewer((v) => v.ageSec),
    ),
    counter(
      "viewer_shown_frames",
      "Frames of heavy messages given to a viewer that is kept fresh",
      perViewer((v) => v.thinned?.shownFrames ?? 0),
    ),
    counter(
      "viewer_thinned_frames",
      "Frames of heavy messages left out to keep a viewer fresh",
      perViewer((v) => v.thinned?.leftOutFrames ?? 0),
    ),
    counter(
      "viewer_thinned_bytes",
      "Bytes left out to keep a viewer fresh, of light messages too",
      perViewer(({ thinned }) => thinned ? thinned.heavy.bytes + thinned.light.bytes : 0),
    ),
    counter(
      "viewer_thinned_light_messages",
      "Light messages left out where these alone were more than a link carried",
      perViewer((v) => v.thinned?.light.messages ?? 0),
    ),
    counter("viewer_sent_bytes", "Bytes sent to a viewer", perViewer((v) => v.sent.bytes)),
    ...viewerFamilies(perDoor),
    counter("viewers_joined", "Viewers so far", held.joined),
    counter("viewers_refused", "Viewers refused for want of room", held.refused),
    counter("viewers_gone", "Viewers that went", reasons(gone)),
    counter(
      "viewer_left_out_messages",
      "Messages that viewers can't be sent",
      reasons({ ...leftOut, otherEncoding: http.otherEncoding, otherData: http.otherData }),
    ),
    counter("bridged_messages", "Messages of SDK 0.17 to 0.22 given today's form", bridge.bridged),
    counter(
      "bridge_damaged_messages",
      "Messages of SDK 0.17 to 0.22 whose schema could not be read",
      bridge.damaged,
    ),
    counter(
      "bridge_untagged_columns",
      "Columns of SDK 0.17 to 0.22 that got no archetype of today's",
      Object.entries(bridge.untagged).map(([component, count]): Sample => [count, { component }]),
    ),
    gauge("nats_boxes", "Boxes that sent something by NATS in the last minute", nats?.live ?? 0),
    gauge("nats_pending_messages", "Messages that wait in NATS, a batch each", nats?.pending ?? 0),
    gauge("nats_lag_seconds", "How far what is read from NATS is behind", nats?.lagSec ?? 0),
    gauge(
      "nats_box_lag_seconds",
      "How old messages were when they came, since they were written on their box: the largest",
      nats?.ageSec ?? 0,
    ),
    gauge(
      "nats_recordings",
      "Recordings that sent something by NATS lately",
      nats?.recordings ?? 0,
    ),
    gauge("nats_outage_seconds", "For how long NATS has been out of reach", nats?.outageSec ?? 0),
    gauge(
      "nats_position",
      "Message of the stream up to which all was received",
      nats?.position ?? 0,
    ),
    counter("nats_repeated_messages", "Messages left out that came before", nats?.repeated ?? 0),
    counter(
      "nats_refused_messages",
      "Messages in NATS that no box has sent, and that are left out",
      nats?.refused ?? 0,
    ),
    counter("file_messages", "Messages written to files", files.messages),
    counter("file_bytes", "Bytes written to files", files.bytes),
    gauge("downloads", "Files of the disk on their way to viewers", downloads.open.length),
    counter("downloads_begun", "Files or parts of them that viewers asked for", downloads.begun),
    counter(
      "downloads_ended",
      "Files or parts of them that viewers asked for, by how that ended",
      reasons(downloads.ended),
    ),
    counter(
      "downloads_refused",
      "Files or parts of them that were refused, since too many were under way",
      downloads.refused,
    ),
    counter("download_bytes", "Bytes of files given to viewers", downloads.bytes),
    counter("removed_files", "Files that viewers removed from the disk", downloads.removed),
    counter("lost_messages", "Messages a sink lost", perSink((sink) => sink.lost.messages)),
    counter("lost_bytes", "Bytes a sink lost", perSink((sink) => sink.lost.bytes)),
    gauge("sink_failed", "Whether a sink failed", perSink((sink) => sink.failed ? 1 : 0)),
    ...forwardFamilies(perTarget),
    counter("http_errors", "Requests that the server failed to answer", http.errors),
  ].join("");
}

/** What stays when viewers leave. */
function viewerFamilies(
  perDoor: (value: (totals: ViewerTotals) => number) => readonly Sample[],
): string[] {
  return [
    counter(
      "viewers_sent_messages",
      "Messages sent to all viewers, those that left included",
      perDoor((all) => all.sent.messages),
    ),
    counter(
      "viewers_sent_bytes",
      "Bytes sent to all viewers, those that left included",
      perDoor((all) => all.sent.bytes),
    ),
    counter(
      "viewers_skipped_messages",
      "Messages dropped from history before viewers took them, those that left included",
      perDoor((all) => all.skipped.messages),
    ),
    counter(
      "viewers_skipped_bytes",
      "Bytes dropped from history before viewers took them, those that left included",
      perDoor((all) => all.skipped.bytes),
    ),
    counter(
      "viewers_shown_frames",
      "Frames of heavy messages given to all viewers that are or were kept fresh",
      perDoor((all) => all.shownFrames),
    ),
    counter(
      "viewers_thinned_frames",
      "Frames of heavy messages left out to keep viewers fresh, those that left included",
      perDoor((all) => all.thinnedFrames),
    ),
    counter(
      "viewers_thinned_bytes",
      "Bytes left out to keep viewers fresh, of light messages too, those that left included",
      perDoor((all) => all.thinned.bytes),
    ),
    counter(
      "viewers_thinned_light_messages",
      "Light messages left out to keep viewers fresh, those that left included",
      perDoor((all) => all.thinnedLightMessages),
    ),
  ];
}

/** Metrics of forwarding. */
function forwardFamilies(
  perTarget: (value: (stats: ForwardStats) => number) => readonly Sample[],
): string[] {
  return [
    gauge(
      "forward_lag_bytes",
      "Bytes on the disk that are to be forwarded",
      perTarget((t) => t.lagBytes),
    ),
    gauge(
      "forward_lag_seconds",
      "How long the oldest message has waited that is to be forwarded",
      perTarget((t) => t.lagSec),
    ),
    gauge(
      "forward_last_ack_timestamp_seconds",
      "When a target last acknowledged something, 0 if never",
      perTarget((t) => (t.lastAckMs ?? 0) / 1000),
    ),
    gauge(
      "forward_outage_seconds",
      "For how long a target has taken nothing",
      perTarget((t) => t.outageSec),
    ),
    gauge(
      "forward_stopped",
      "Whether nothing is sent to a target until the next start",
      perTarget((t) => t.isStopped ? 1 : 0),
    ),
    counter(
      "forwarded_messages",
      "Messages that a target has acknowledged",
      perTarget((t) => t.sent.messages),
    ),
    counter(
      "forwarded_bytes",
      "Bytes that a target has acknowledged",
      perTarget((t) => t.sent.bytes),
    ),
    counter(
      "forward_refused_messages",
      "Messages that a target does not take",
      perTarget((t) => t.refused.messages),
    ),
    counter(
      "forward_dropped_messages",
      "Messages removed from the disk before they were sent",
      perTarget((t) => t.dropped.messages),
    ),
  ];
}
