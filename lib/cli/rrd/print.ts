/**
 * `rrd print`: one line a message.
 *
 * @module
 */
import type { LogMsg } from "../../log_msg.ts";
import { type ChunkSummary, summarize } from "../../rrd/chunk_summary.ts";
import type { RrdPart } from "../../rrd/part.ts";
import { escapeText, quote } from "../../escape.ts";
import { EXIT } from "../exit_codes.ts";
import { formatBytes } from "../units.ts";
import { parts, type RrdContext } from "./input.ts";
import type { RrdOptions } from "./options.ts";
import { timeText } from "./stats_text.ts";
import { standardOutput } from "./output.ts";

type MessagePart = Extract<RrdPart, { kind: "message" }>;

/** Runs the command. */
export async function print(options: RrdOptions, context: RrdContext): Promise<number> {
  const out = standardOutput();
  for (const path of options.files) {
    for await (const part of parts(path, context)) {
      if (part.kind !== "message") continue;
      const summary = await summaryOf(part.msg);
      const line = options.json
        ? JSON.stringify(messageJson(part, summary))
        : messageText(part, summary, options.verbose);
      await out.write(new TextEncoder().encode(`${line}\n`));
    }
  }
  return EXIT.ok;
}

async function summaryOf(msg: LogMsg): Promise<ChunkSummary | string | undefined> {
  if (msg.kind !== "ArrowMsg") return undefined;
  try {
    return await summarize(msg);
  } catch (error) {
    return (error as Error).message;
  }
}

function messageText(
  { msg, bytes, offset }: MessagePart,
  chunk: ChunkSummary | string | undefined,
  verbose: boolean,
): string {
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
  const id = (typeof chunk === "object" ? chunk.chunkId : msg.chunkId)?.toString() ?? "no id";
  if (chunk === undefined || typeof chunk === "string") {
    return `Chunk(${id}) (${formatBytes(bytes)}) - bad Arrow data: ${escapeText(chunk ?? "", 200)}`;
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

function messageJson(part: MessagePart, chunk: ChunkSummary | string | undefined): unknown {
  const { msg, offset, bytes } = part;
  const place = { type: msg.kind, offset, bytes };
  switch (msg.kind) {
    case "SetStoreInfo":
      return { ...place, store_id: msg.info.storeId, application_id: msg.info.applicationId };
    case "BlueprintActivationCommand":
      return {
        ...place,
        store_id: msg.blueprintId,
        make_active: msg.makeActive,
        make_default: msg.makeDefault,
      };
    case "UnknownMsg":
      return { ...place, name: msg.name };
  }
  const known = { ...place, store_id: msg.storeId, chunk_id: msg.chunkId?.toString() ?? null };
  if (chunk === undefined || typeof chunk === "string") return { ...known, error: chunk };
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
