/**
 * Statistics as text for people and as JSON for machines.
 *
 * @module
 */
import type { StoreSource } from "../../encoding/message_parts.ts";
import type {
  RecordingStatistics,
  RrdStatistics,
  TimelineRange,
} from "../../recordings/statistics.ts";
import type { IndexCheck, IndexTally } from "../../chunk_index/index_check.ts";
import { escapeText, quote } from "../../base/escape.ts";
import { plural } from "../../base/plural.ts";
import { formatBytes, formatCount, formatPlural } from "../terminal/units.ts";

/** How many of a recording's entities the chart shows, unless all are asked for. */
const SHOWN_ENTITIES = 30;

/**
 * Lines for people; text from recordings is escaped.
 *
 * @param name of the file
 * @param stats what is in it
 * @param index what its chunk index lists, if it has one
 * @param columns of the terminal
 * @param verbose whether all entities are shown
 */
export function statisticsText(
  name: string,
  stats: RrdStatistics,
  { tally, isMissing }: Pick<IndexCheck, "tally" | "isMissing">,
  columns: number,
  verbose = false,
): string {
  const { recordings, entities, timelines } = stats.cut;
  const cut = recordings + entities + timelines;
  const lines = [
    escapeText(name),
    `  ${formatBytes(stats.bytes)}; ${[...stats.encodings].join("; ") || "no header"}; ${
      stats.endMarkers > 0 ? plural(stats.endMarkers, "end marker") : "no end marker"
    }${tally === undefined ? "" : `; ${indexText(tally)}`}${isMissing ? `; ${NO_INDEX}` : ""}`,
    ...[...stats.kinds].map(([kind, { messages, bytes }]) =>
      `  ${kind}: ${formatCount(messages)}, ${formatBytes(bytes)}`
    ),
    ...(stats.unreadableChunks === 0
      ? []
      : [`  Arrow data that can't be read: ${plural(stats.unreadableChunks, "chunk")}`]),
    ...[...stats.recordings.values()].flatMap((recording) =>
      recordingLines(recording, columns, verbose ? Infinity : SHOWN_ENTITIES)
    ),
    ...(cut === 0 ? [] : [
      "  Not all fits into these tables; messages left out: " +
      `${recordings} of further recordings, ${entities} of entities, ${timelines} of timelines`,
    ]),
  ];
  return `${lines.join("\n")}\n`;
}

/** The remark about a file of today's form without a chunk index. */
export const NO_INDEX = "no chunk index, which rrd index adds";

function indexText({ chunks, stores, bytes }: IndexTally): string {
  const of = stores === 1 ? "" : ` of ${plural(stores, "store")}`;
  return `chunk index of ${formatBytes(bytes)} lists ${plural(chunks, "chunk")}${of}`;
}

function recordingLines(recording: RecordingStatistics, columns: number, most: number): string[] {
  const { storeId, applicationId, version, source, messages, bytes, rows } = recording;
  const from = applicationId === undefined ? "an unknown application" : quote(applicationId);
  const sdk = source === undefined ? "" : `, ${escapeText(sourceText(source), 100)}`;
  return [
    "",
    `  ${storeId.kind} ${quote(storeId.id)} of ${from}, Rerun ${version ?? "unknown"}${sdk}`,
    `    ${formatPlural(messages, "message")}, ${formatBytes(bytes)}, ${formatPlural(rows, "row")}`,
    ...[...recording.timelines].sort(byName).map(([name, range]) =>
      `    timeline ${quote(name)} ${range.type}: ${timeText(range, range.min)} to ${
        timeText(range, range.max)
      }`
    ),
    ...chart(recording, columns, most),
  ];
}

function chart({ entities }: RecordingStatistics, columns: number, limit: number): string[] {
  const sorted = [...entities].sort((a, b) => b[1].bytes - a[1].bytes || byName(a, b));
  const shown = sorted.slice(0, limit);
  const most = shown[0]?.[1].bytes ?? 0;
  const width = Math.max(10, Math.min(40, columns - 60));
  const lines = shown.map(([path, { messages, bytes }]) => {
    const bar = "#".repeat(Math.max(1, Math.round(bytes / most * width))).padEnd(width);
    return `    ${bar} ${formatBytes(bytes).padStart(8)} ${formatCount(messages).padStart(7)}  ${
      escapeText(path, 200)
    }`;
  });
  const more = sorted.length - shown.length;
  return more === 0
    ? lines
    : [...lines, `    and ${formatPlural(more, "more entity", "more entities")} (-v)`];
}

/** Writes a time: timestamps in UTC, sequence numbers and durations as numbers. */
export function timeText({ type }: Pick<TimelineRange, "type">, time: bigint): string {
  const date = new Date(Number(time / 1_000_000n));
  if (!type.startsWith("Timestamp") || Number.isNaN(date.getTime())) return String(time);
  return date.toISOString();
}

function sourceText(source: StoreSource): string {
  switch (source.kind) {
    case "PythonSdk":
      return `Python ${source.major}.${source.minor}.${source.patch}${source.suffix}`;
    case "RustSdk":
      return `Rust ${source.rustcVersion}`;
    case "File":
      return `file (${source.fileSource})`;
    case "Other":
      return source.name;
    default:
      return source.kind;
  }
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Statistics as JSON: everything that was counted, with times as decimal text. */
export function statisticsJson(
  file: string,
  stats: RrdStatistics,
  index: IndexTally | undefined,
  damage?: string,
): unknown {
  return {
    file,
    bytes: stats.bytes,
    encodings: [...stats.encodings],
    end_markers: stats.endMarkers,
    chunk_index: index ?? null,
    messages: Object.fromEntries(stats.kinds),
    unreadable_chunks: stats.unreadableChunks,
    left_out: stats.cut,
    ...(damage === undefined ? {} : { damage }),
    recordings: [...stats.recordings.values()].map((recording) => ({
      kind: recording.storeId.kind,
      id: recording.storeId.id,
      application_id: recording.applicationId ?? null,
      rerun_version: recording.version ?? null,
      source: recording.source ?? null,
      messages: recording.messages,
      bytes: recording.bytes,
      rows: recording.rows,
      timelines: [...recording.timelines].sort(byName).map(([name, { type, min, max }]) => ({
        name,
        type,
        min: String(min),
        max: String(max),
      })),
      entities: [...recording.entities].sort(byName).map(([path, tally]) => ({ path, ...tally })),
    })),
  };
}
