/**
 * When a recording began, as a chunk: SDKs say it so since 0.23, and today's viewer shows it as the
 * name of the recording. Those before said it in the announcement, where nobody looks any more.
 *
 * @module
 */
import { type ArrowArray, encodeBatch, T } from "../encoding/arrow/batch_arrays.ts";
import { encodeSchema } from "../encoding/arrow/encode_schema.ts";
import type { SchemaField, SchemaTag } from "../encoding/arrow/schema_tree.ts";
import { ArrowMsg } from "../encoding/arrow_msg.ts";
import type { LogMsg, SetStoreInfo } from "../encoding/log_msg.ts";
import type { StoreId } from "../encoding/message_parts.ts";
import { ArrowMsgFront } from "../encoding/protobuf/arrow_msg_front.ts";
import { encodeStoreId } from "../encoding/protobuf/encode_log_msg.ts";
import { xxh32 } from "../encoding/rrd/xxh32.ts";
import type { RrdHeader } from "../encoding/rrd_header.ts";
import { Tuid } from "../encoding/tuid.ts";

/** Arrow's metadata version 5, as it numbers it. */
const METADATA_VERSION = 4;
const TUID_BYTES = 16;

const ROW_ID: SchemaField = column("rerun.controls.RowId", T.FIXED_BINARY, {
  nullable: false,
  parameters: [TUID_BYTES],
  tags: {
    "ARROW:extension:name": "rerun.datatypes.TUID",
    "ARROW:extension:metadata": '{"namespace":"row"}',
    "rerun.is_sorted": "true",
    "rerun.kind": "control",
  },
});
const NANOSECONDS: SchemaField = column("item", T.INT, { parameters: [64, true] });
const START: SchemaField = column("Timestamp", T.LIST, {
  children: [NANOSECONDS],
  tags: {
    "rerun.kind": "data",
    "rerun.component": "rerun.components.Timestamp",
    "rerun.archetype": "rerun.archetypes.RecordingProperties",
    "rerun.archetype_field": "start_time",
  },
});

/**
 * The chunk that says when a recording began, as SDK 0.23 sends it.
 *
 * @param msg announces the recording; the same announcement gives the same bytes, so that a viewer that
 * gets them twice knows the chunk
 * @param header that the chunk is to stand under
 * @returns `undefined` for a blueprint, and where the announcement does not say it
 */
export function recordingStart(
  { info: { storeId, started } }: SetStoreInfo,
  header: RrdHeader,
): ArrowMsg | undefined {
  if (storeId.kind !== "Recording" || started <= 0n) return undefined;
  const [chunkId, rowId] = idsOf(storeId, started);
  const { bytes: schema } = encodeSchema({
    version: METADATA_VERSION,
    fields: [ROW_ID, START],
    tags: tagsOf({
      "rerun.entity_path": "/__properties/recording",
      "rerun.id": `chunk_${chunkId}`,
      "rerun.version": "1",
    }),
  });
  const batch = encodeBatch({ length: 1, columns: [rowIds(rowId), starts(started)] });
  const front = new ArrowMsgFront(encodeStoreId(storeId, "v1alpha1"), true, schema)
    .next(chunkId, batch.bytes);
  const bytes = new Uint8Array(front.bytes.length + batch.bytes);
  bytes.set(front.bytes);
  batch.write(bytes.subarray(front.bytes.length));
  const ipc = bytes.subarray(front.schemaAt);
  const arrow = { bytes: ipc, compression: "off" as const, uncompressedSize: ipc.length };
  return new ArrowMsg(storeId, chunkId, [], true, arrow, { header, bytes });
}

/**
 * A message in today's form, and behind it, if it announces a recording, when that began.
 *
 * @param msg as it came
 * @param bridged the same in today's form; the same message if it has no other
 */
export function withStart(msg: LogMsg, bridged: LogMsg): readonly LogMsg[] {
  if (bridged === msg || msg.kind !== "SetStoreInfo") return [bridged];
  const start = recordingStart(msg, bridged.encoded.header);
  return start === undefined ? [bridged] : [bridged, start];
}

/** Recordings of one stream whose start is known. */
const MAX_KNOWN = 64;

/** When recordings of one stream began: told once of each, since SDKs announce a recording twice. */
export class RecordingStarts {
  readonly #known = new Map<string, bigint>();

  /** As {@linkcode withStart}, without what was told before. */
  withStart(msg: LogMsg, bridged: LogMsg): readonly LogMsg[] {
    if (msg.kind !== "SetStoreInfo" || this.#has(msg)) return [bridged];
    return withStart(msg, bridged);
  }

  #has({ info: { storeId: { kind, id, applicationId }, started } }: SetStoreInfo): boolean {
    const key = JSON.stringify([kind, id, applicationId]);
    const isKnown = this.#known.get(key) === started;
    this.#known.delete(key);
    this.#known.set(key, started);
    if (this.#known.size > MAX_KNOWN) this.#known.delete(this.#known.keys().next().value!);
    return isKnown;
  }
}

/** Of the chunk and its row: of two announcements the row of the later one counts. */
function idsOf({ id }: StoreId, started: bigint): [Tuid, Tuid] {
  const text = new TextEncoder().encode(id);
  const inc = BigInt(xxh32(text, 0)) << 31n | BigInt(xxh32(text, 1)) >> 1n;
  return [new Tuid(started, inc), new Tuid(started, inc + 1n)];
}

function rowIds({ timeNs, inc }: Tuid): ArrowArray {
  const bytes = new Uint8Array(TUID_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, timeNs);
  view.setBigUint64(8, inc);
  return array(ROW_ID, [NO_BITMAP, bytes]);
}

/** A list of one value. */
function starts(started: bigint): ArrowArray {
  const offsets = Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0);
  const value = new Uint8Array(8);
  new DataView(value.buffer).setBigInt64(0, started, true);
  return array(START, [NO_BITMAP, offsets], [array(NANOSECONDS, [NO_BITMAP, value])]);
}

/** Nothing is null. */
const NO_BITMAP: Uint8Array = new Uint8Array(0);

function array(
  field: SchemaField,
  buffers: readonly Uint8Array[],
  children: readonly ArrowArray[] = [],
): ArrowArray {
  return { field, length: 1, nulls: 0, buffers, children };
}

function column(
  name: string,
  type: number,
  { tags = {}, ...more }: Partial<Omit<SchemaField, "tags">> & {
    readonly tags?: Readonly<Record<string, string>>;
  },
): SchemaField {
  const plain = { nullable: true, parameters: [], dictionary: undefined, children: [] };
  return { ...plain, name, type, ...more, tags: tagsOf(tags) };
}

function tagsOf(tags: Readonly<Record<string, string>>): SchemaTag[] {
  return Object.entries(tags).map(([key, value]) => ({ key, value }));
}
