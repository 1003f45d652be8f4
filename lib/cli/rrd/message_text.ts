/**
 * A message as text for people and as JSON for machines.
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { StoreId } from "../../encoding/message_parts.ts";
import { type ChunkSummary, summarize } from "../../recordings/chunk_summary.ts";
import type { RrdMessage } from "../../encoding/rrd/part.ts";
import { escapeText, quote } from "../../base/escape.ts";
import { formatBytes } from "../terminal/units.ts";
import { timeText } from "./stats_text.ts";

/**
 * A line for people, as Rerun's own `rrd print` has it; text from recordings is escaped.
 *
 * @param verbose whether to add lines for the place and the timelines, and full names
 */
export function messageText(part: RrdMessage, verbose: boolean): string {
  const { msg, bytes, offset } = part;
  switch (msg.kind) {
    case "SetStoreInfo": {
      const { storeId, applicationId } = msg.info;
      return `SetStoreInfo - ${storeId.kind} ${quote(storeId.id)} of ${quote(applicationId)}`;
    }
    case "BlueprintActivationCommand":
      return `BlueprintActivationCommand - ${quote(msg.blueprintId.id)} active: ` +
        `${msg.makeActive}, default: ${msg.makeDefault}`;
    case "UnknownMsg":
      return `${escapeText(msg.name, 100)} (${formatBytes(bytes)})`;
  }
  const chunk = summaryOf(msg);
  const id = (typeof chunk === "object" ? chunk.chunkId : msg.chunkId)?.toString() ?? "no id";
  if (typeof chunk === "string") {
    return `Chunk(${id}) (${formatBytes(bytes)}) - bad Arrow data: ${escapeText(chunk, 200)}`;
  }
  const names = chunk.columns.map((name) => verbose ? name : shortName(name));
  const line = `Chunk(${id}) with ${chunk.rows} rows (${formatBytes(bytes)}) - ${
    escapeText(chunk.entityPath ?? "several entities", 200)
  } - columns: [${escapeText(names.join(" "))}]`;
  if (!verbose) return line;
  const times = chunk.timelines.map((timeline) =>
    `\n    ${quote(timeline.name)} ${timeline.type}: ${timeText(timeline, timeline.min)} to ${
      timeText(timeline, timeline.max)
    }`
  );
  return `${line}\n    at byte ${offset}, ${msg.storeId.kind} ${quote(msg.storeId.id)}${
    times.join("")
  }`;
}

/** Of `rerun.components.Position3D` the last word; today's `Points3D:positions` stay. */
function shortName(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

/** A message as JSON, with times as decimal text. */
export function messageJson(part: RrdMessage): unknown {
  const { msg, offset, bytes } = part;
  const place = { type: msg.kind, offset, bytes };
  switch (msg.kind) {
    case "SetStoreInfo":
      return {
        ...place,
        store: storeJson(msg.info.storeId),
        application_id: msg.info.applicationId,
      };
    case "BlueprintActivationCommand":
      return {
        ...place,
        store: storeJson(msg.blueprintId),
        make_active: msg.makeActive,
        make_default: msg.makeDefault,
      };
    case "UnknownMsg":
      return { ...place, name: msg.name };
  }
  const known = {
    ...place,
    store: storeJson(msg.storeId),
    chunk_id: msg.chunkId?.toString() ?? null,
  };
  const chunk = summaryOf(msg);
  if (typeof chunk === "string") return { ...known, error: chunk };
  return {
    ...known,
    chunk_id: chunk.chunkId?.toString() ?? null,
    entity_path: chunk.entityPath ?? null,
    rows: chunk.rows,
    columns: chunk.columns,
    timelines: chunk.timelines.map(({ name, type, min, max }) => ({
      name,
      type,
      min: String(min),
      max: String(max),
    })),
  };
}

/** What the Arrow data says, or what is wrong with it. */
function summaryOf(msg: Extract<LogMsg, { kind: "ArrowMsg" }>): ChunkSummary | string {
  try {
    return summarize(msg);
  } catch (error) {
    if (!(error instanceof InvalidMessage)) throw error;
    return error.message;
  }
}

function storeJson({ kind, id }: StoreId): unknown {
  return { kind, id };
}
