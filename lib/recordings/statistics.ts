/**
 * What is in a recording, counted message by message in bounded memory.
 *
 * @module
 */
import { addTo, newTally, type RunningTally } from "../base/tally.ts";
import type { ArrowMsg } from "../encoding/arrow_msg.ts";
import { type RrdHeader, rrdVersionText } from "../encoding/rrd_header.ts";
import { InvalidMessage } from "../base/errors.ts";
import { storeKey, storeOf } from "../encoding/store_of.ts";
import type { StoreId, StoreInfo, StoreSource } from "../encoding/message_parts.ts";
import { type ChunkSummary, type ChunkTimeline, summarize } from "./chunk_summary.ts";
import type { RrdPart } from "../encoding/rrd/part.ts";

/** How many rows each of the bounded tables may have. */
export interface TableLimits {
  /** Recordings and blueprints. */
  readonly recordings: number;
  /** Entity paths of all recordings together. */
  readonly entities: number;
  /** Timelines of all recordings together. */
  readonly timelines: number;
  /** Different encodings, with their version. */
  readonly encodings: number;
  /** All names together, in UTF-16 code units. */
  readonly text: number;
}

/** How much the tables hold over all recordings; names come from peers. */
export const TABLE_LIMITS: TableLimits = {
  recordings: 1000,
  entities: 100_000,
  timelines: 10_000,
  encodings: 16,
  text: 16 << 20,
};

/** A timeline's first and last time. */
export interface TimelineRange {
  /** As Arrow calls it, such as `Int64` or `Timestamp[ns]`. */
  readonly type: string;
  /** The first: a sequence number, or nanoseconds. */
  min: bigint;
  /** The last: a sequence number, or nanoseconds. */
  max: bigint;
}

/** What is known of one recording or blueprint. */
export interface RecordingStatistics extends RunningTally {
  /** The id of the store. */
  readonly storeId: StoreId;
  /** Absent where it was never announced. */
  applicationId?: string;
  /** What made it; absent where it was never announced. */
  source?: StoreSource;
  /** Of the SDK, such as `0.22.1`. */
  version?: string;
  /** Rows of all its chunks. */
  rows: number;
  /** Counts by entity path. */
  readonly entities: Map<string, RunningTally>;
  /** Timelines by name. */
  readonly timelines: Map<string, TimelineRange>;
}

/**
 * Counts the parts of RRD files, in bounded memory whatever they hold.
 *
 * @example
 * ```ts
 * import { RrdScanner, RrdStatistics } from "@rerelay/server/rrd";
 * import { assertEquals } from "@std/assert";
 *
 * const statistics = new RrdStatistics();
 * const header = Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 1, 0, 0);
 * for (const part of new RrdScanner().push(header).items) statistics.add(part);
 * assertEquals([...statistics.encodings], ["msgpack, off, Rerun 0.22.1"]);
 * ```
 */
export class RrdStatistics {
  /** Bytes of the files. */
  bytes = 0;
  /** A file that was closed has one, unless Rerun before 0.19 wrote it. */
  endMarkers = 0;
  /** Chunks whose Arrow data can't be read. */
  unreadableChunks = 0;
  /** How many messages belong to what the bounded tables left out. */
  readonly cut: { recordings: number; entities: number; timelines: number } = {
    recordings: 0,
    entities: 0,
    timelines: 0,
  };
  /** Encodings that were met, such as `msgpack, lz4, Rerun 0.22.1`. */
  readonly encodings: Set<string> = new Set();
  /** Counts by the kind of message. */
  readonly kinds: Map<string, RunningTally> = new Map();
  /** Recordings and blueprints, by kind and id. */
  readonly recordings: Map<string, RecordingStatistics> = new Map();
  #entities = 0;
  #timelines = 0;
  #textLeft: number = TABLE_LIMITS.text;

  /** Counts one part. */
  add(part: RrdPart): void {
    this.bytes += part.bytes;
    if (part.kind === "header" && this.encodings.size < TABLE_LIMITS.encodings) {
      this.encodings.add(encodingText(part.header));
    }
    if (part.kind === "end") this.endMarkers++;
    if (part.kind !== "message") return;
    const { msg, bytes, header } = part;
    addTo(this.#kind(msg.kind), { messages: 1, bytes });
    if (msg.kind === "SetStoreInfo") this.#announce(msg.info, header, bytes);
    else if (msg.kind === "ArrowMsg") this.#addChunk(msg, header, bytes);
    else {
      const storeId = storeOf(msg);
      if (storeId !== undefined) this.#recording(storeId, bytes);
    }
  }

  #kind(kind: string): RunningTally {
    let tally = this.kinds.get(kind);
    if (tally === undefined) this.kinds.set(kind, tally = newTally());
    return tally;
  }

  #announce(info: StoreInfo, header: RrdHeader, bytes: number): void {
    const recording = this.#recording(info.storeId, bytes);
    if (recording === undefined) return;
    recording.version = rrdVersionText(info.storeVersion ?? header.version);
    const { applicationId, storeSource } = info;
    const text = applicationId + JSON.stringify(storeSource);
    const known = recording.applicationId === undefined || recording.source === undefined
      ? undefined
      : recording.applicationId + JSON.stringify(recording.source);
    if (text === known || !this.#takes(text)) return;
    recording.applicationId = applicationId;
    recording.source = storeSource;
  }

  #recording(storeId: StoreId, bytes: number): RecordingStatistics | undefined {
    const key = storeKey(storeId);
    let found = this.recordings.get(key);
    if (found === undefined) {
      const isFull = this.recordings.size >= TABLE_LIMITS.recordings;
      if (isFull || !this.#takes(key + (storeId.applicationId ?? ""))) {
        this.cut.recordings++;
        return undefined;
      }
      found = { storeId, rows: 0, ...newTally(), entities: new Map(), timelines: new Map() };
      if (storeId.applicationId !== undefined) found.applicationId = storeId.applicationId;
      this.recordings.set(key, found);
    }
    addTo(found, { messages: 1, bytes });
    return found;
  }

  #addChunk(msg: ArrowMsg, header: RrdHeader, bytes: number): void {
    const recording = this.#recording(msg.storeId, bytes);
    if (recording === undefined) return;
    recording.version ??= rrdVersionText(header.version);
    let chunk: ChunkSummary;
    try {
      chunk = summarize(msg);
    } catch (error) {
      if (!(error instanceof InvalidMessage)) throw error;
      this.unreadableChunks++;
      return;
    }
    recording.rows += chunk.rows;
    this.#addEntity(recording, chunk.entityPath ?? "(tables of several entities)", bytes);
    for (const timeline of chunk.timelines) this.#addTimeline(recording, timeline);
  }

  #addEntity({ entities }: RecordingStatistics, path: string, bytes: number): void {
    let entity = entities.get(path);
    if (entity === undefined) {
      if (this.#entities >= TABLE_LIMITS.entities || !this.#takes(path)) {
        this.cut.entities++;
        return;
      }
      this.#entities++;
      entities.set(path, entity = newTally());
    }
    addTo(entity, { messages: 1, bytes });
  }

  #addTimeline({ timelines }: RecordingStatistics, { name, type, min, max }: ChunkTimeline): void {
    const range = timelines.get(name);
    if (range !== undefined) {
      if (min < range.min) range.min = min;
      if (max > range.max) range.max = max;
    } else if (this.#timelines >= TABLE_LIMITS.timelines || !this.#takes(name)) {
      this.cut.timelines++;
    } else {
      this.#timelines++;
      timelines.set(name, { type, min, max });
    }
  }

  /** Whether there is room for a name. */
  #takes(text: string): boolean {
    if (text.length > this.#textLeft) return false;
    this.#textLeft -= text.length;
    return true;
  }
}

/** Names an encoding, such as `msgpack, lz4, Rerun 0.22.1`. */
export function encodingText({ serializer, compression, version }: RrdHeader): string {
  return `${serializer}, ${compression}, Rerun ${rrdVersionText(version)}`;
}
