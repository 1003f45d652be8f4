/** Recordings of today's SDKs, made chunk by chunk. */
import {
  type Data,
  Field,
  FixedSizeBinary,
  Float64,
  Int64,
  List,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableToIPC,
  vectorFromArray,
} from "apache-arrow";
import { ArrowMsg } from "../../lib/encoding/arrow_msg.ts";
import { compressLz4 } from "../../lib/encoding/lz4/lz4_deflate.ts";
import type { StoreId } from "../../lib/encoding/message_parts.ts";
import { encodeLogMsg } from "../../lib/encoding/protobuf/encode_log_msg.ts";
import { decodeRrdHeader } from "../../lib/encoding/rrd_header.ts";
import { Tuid } from "../../lib/encoding/tuid.ts";
import { concat } from "../encoding/rrd_builder.ts";

/** What a chunk has. */
export interface ChunkOptions {
  readonly path?: string;
  readonly id?: number;
  /** A time for each row, by timeline. */
  readonly times?: Readonly<Record<string, readonly bigint[]>>;
  /** A list for each row, or none, by component. */
  readonly components?: Readonly<Record<string, readonly (readonly number[] | null)[]>>;
  readonly storeId?: StoreId;
  readonly lz4?: boolean;
  /** Of the schema, besides those that a chunk has; an empty one takes that away. */
  readonly tags?: Readonly<Record<string, string>>;
}

/** That of SDK 0.41.0. */
export const HEADER = Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 41, 0, 0, 0, 2, 0, 0);
const OLD_HEADER = decodeRrdHeader(
  Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 1, 0, 0),
);

/** A message of a chunk, as a file has it. */
export function chunkMessage(options: ChunkOptions = {}): Uint8Array {
  const { storeId = { kind: "Recording", id: "rec", applicationId: "app" }, id = 1 } = options;
  const ipc = chunkIpc(options);
  const bytes = options.lz4 === true ? compressLz4(ipc) : ipc;
  const compression = options.lz4 === true ? "lz4" as const : "off" as const;
  const arrow = { bytes, compression, uncompressedSize: ipc.length };
  const encoded = { header: OLD_HEADER, bytes: new Uint8Array(0) };
  const tuid = new Tuid(1n, BigInt(id));
  return encodeLogMsg(
    new ArrowMsg(storeId, tuid, undefined, undefined, arrow, encoded),
    "v1alpha1",
  )!;
}

function chunkIpc(options: ChunkOptions): Uint8Array {
  const { path = "/points", id = 1, times = { frame: [1n] }, tags = {} } = options;
  const { components = { "Scalars:scalars": [[1]] } } = options;
  const rows = Object.values(components)[0]?.length ?? 0;
  const fields: Field[] = [];
  const children: Data[] = [];
  const add = (name: string, data: Data, tags: Record<string, string>) => {
    fields.push(new Field(name, data.type, true, new Map(Object.entries(tags))));
    children.push(data);
  };
  const rowIds = new Uint8Array(16 * rows);
  add(
    "rerun.controls.RowId",
    makeData({ type: new FixedSizeBinary(16), length: rows, nullCount: 0, data: rowIds }),
    { "rerun:kind": "control" },
  );
  for (const [name, values] of Object.entries(times)) {
    const data = makeData({
      ...{ type: new Int64(), length: values.length, nullCount: 0 },
      data: BigInt64Array.from(values),
    });
    add(name, data, { "rerun:kind": "index", "rerun:index_name": name });
  }
  for (const [name, values] of Object.entries(components)) {
    const type = new List(new Field("item", new Float64(), true));
    const data = vectorFromArray(values as (number[] | null)[], type).data[0]!;
    add(name, data, {
      "rerun:kind": "data",
      "rerun:component": name,
      ...(name.includes(":") && { "rerun:archetype": `rerun.archetypes.${name.split(":")[0]}` }),
    });
  }
  const all = {
    "rerun:entity_path": path,
    "rerun:id": `chunk_${"0".repeat(15)}1${id.toString(16).padStart(16, "0")}`,
    "sorbet:version": "0.1.3",
    ...tags,
  };
  const metadata = new Map(Object.entries(all).filter(([, value]) => value !== ""));
  const schema = new Schema(fields, metadata);
  const struct = makeData({ type: new Struct(fields), length: rows, nullCount: 0, children });
  return tableToIPC(new Table(new RecordBatch(schema, struct)), "stream");
}

/** A file of messages, with a plain end marker. */
export function fileOf(...messages: Uint8Array[]): Uint8Array {
  return concat(HEADER, ...messages, new Uint8Array(16));
}
