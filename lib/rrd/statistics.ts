/**
 * What is in a recording, counted message by message in bounded memory.
 *
 * @module
 */
import { ArrowMsg } from "../encoding/arrow_msg.ts";
import { type RrdHeader, rrdVersionText } from "../encoding/rrd_header.ts";
import type { StoreId, StoreSource } from "../log_msg.ts";
import { type ChunkSummary, summarize } from "./chunk_summary.ts";
import type { RrdPart } from "./part.ts";

/** How many of each the tables hold; names come from peers. */
export const TABLE_LIMITS = { recordings: 1000, entities: 20_000, timelines: 200 } as const;

/** Messages and their bytes as stored. */
export interface RrdTally {
  messages: number;
  bytes: number;
}

/** A timeline's first and last time. */
export interface TimelineRange {
  readonly type: string;
  min: bigint;
  max: bigint;
}

/** What is known of one recording or blueprint. */
export interface RecordingStatistics extends RrdTally {
  readonly storeId: StoreId;
  applicationId?: string;
  source?: StoreSource;
  version?: string;
  rows: number;
  readonly entities: Map<string, RrdTally>;
  readonly timelines: Map<string, TimelineRange>;
}

/** Counts the parts of RRD files. */
export class RrdStatistics {
  /** Bytes of the files. */
  bytes = 0;
  endMarkers = 0;
  /** Chunks whose Arrow data can't be read. */
  unreadableChunks = 0;
  /** How many messages belong to what the bounded tables left out. */
  readonly cut: { recordings: number; entities: number; timelines: number } = {
    recordings: 0,
    entities: 0,
    timelines: 0,
  };
  readonly encodings: Set<string> = new Set();
  readonly kinds: Map<string, RrdTally> = new Map();
  readonly recordings: Map<string, RecordingStatistics> = new Map();

  /** Counts one part. */
  async add(part: RrdPart): Promise<void> {
    this.bytes += part.bytes;
    if (part.kind === "header") this.encodings.add(encodingText(part.header));
    if (part.kind === "end") this.endMarkers++;
    if (part.kind !== "message") return;
    const { msg, bytes } = part;
    const kind = msg.kind === "UnknownMsg" ? "UnknownMsg" : msg.kind;
    count(entry(this.kinds, kind, Infinity, newTally)!, bytes);
    if (msg.kind === "SetStoreInfo") {
      const recording = this.#recording(msg.info.storeId, bytes);
      if (recording === undefined) return;
      recording.applicationId = msg.info.applicationId;
      recording.source = msg.info.storeSource;
      recording.version = rrdVersionText(msg.info.storeVersion ?? part.header.version);
    } else if (msg.kind === "BlueprintActivationCommand") {
      this.#recording(msg.blueprintId, bytes);
    } else if (msg instanceof ArrowMsg) {
      const recording = this.#recording(msg.storeId, bytes);
      if (recording === undefined) return;
      recording.version ??= rrdVersionText(part.header.version);
      let summary: ChunkSummary;
      try {
        summary = await summarize(msg);
      } catch {
        this.unreadableChunks++;
        return;
      }
      this.#addChunk(recording, summary, bytes);
    }
  }

  #recording(storeId: StoreId, bytes: number): RecordingStatistics | undefined {
    const key = `${storeId.kind} ${storeId.id}`;
    const found = entry(this.recordings, key, TABLE_LIMITS.recordings, () => ({
      storeId,
      rows: 0,
      ...newTally(),
      entities: new Map(),
      timelines: new Map(),
      ...(storeId.applicationId === undefined ? {} : { applicationId: storeId.applicationId }),
    }));
    if (found === undefined) this.cut.recordings++;
    else count(found, bytes);
    return found;
  }

  #addChunk(recording: RecordingStatistics, chunk: ChunkSummary, bytes: number): void {
    recording.rows += chunk.rows;
    const path = chunk.entityPath ?? "(tables of several entities)";
    const entity = entry(recording.entities, path, TABLE_LIMITS.entities, newTally);
    if (entity === undefined) this.cut.entities++;
    else count(entity, bytes);
    for (const { name, type, min, max } of chunk.timelines) {
      const { timelines } = TABLE_LIMITS;
      const range = entry(recording.timelines, name, timelines, () => ({ type, min, max }));
      if (range === undefined) {
        this.cut.timelines++;
        continue;
      }
      if (min < range.min) range.min = min;
      if (max > range.max) range.max = max;
    }
  }
}

/** Such as `msgpack, lz4, Rerun 0.22.1`. */
export function encodingText({ serializer, compression, version }: RrdHeader): string {
  return `${serializer}, ${compression}, Rerun ${rrdVersionText(version)}`;
}

function newTally(): RrdTally {
  return { messages: 0, bytes: 0 };
}

function count(tally: RrdTally, bytes: number): void {
  tally.messages++;
  tally.bytes += bytes;
}

function entry<K, V>(map: Map<K, V>, key: K, limit: number, make: () => V): V | undefined {
  let value = map.get(key);
  if (value === undefined && map.size < limit) map.set(key, value = make());
  return value;
}
