/**
 * Reads what describes the data of an Arrow IPC stream, without reading the data:
 * https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";
import type { FlatTable } from "./_flatbuffers.ts";
import { checkEndianness, readIpcMessage, SCHEMA } from "./_ipc_message.ts";
import { Tuid } from "../tuid.ts";

/** Names of Arrow's types, by their number in its `Type` union. */
const TYPES = [
  "None",
  "Null",
  "Int",
  "FloatingPoint",
  "Binary",
  "Utf8",
  "Bool",
  "Decimal",
  "Date",
  "Time",
  "Timestamp",
  "Interval",
  "List",
  "Struct",
  "Union",
  "FixedSizeBinary",
  "FixedSizeList",
  "Map",
  "Duration",
  "LargeBinary",
  "LargeUtf8",
  "LargeList",
  "RunEndEncoded",
  "BinaryView",
  "Utf8View",
  "ListView",
  "LargeListView",
] as const;

/** An Arrow type's name; integers carry their width (`Int64`, `UInt8`), times their unit (`Timestamp[ns]`). */
export type ArrowTypeName = string;

/** One column of an {@linkcode ArrowSchema}. */
export interface ArrowField {
  /** As the table calls it; of a timeline see the tag `index_name` first. */
  readonly name: string;
  /** Such as `Int64`, `Timestamp[ns]`, `List`. */
  readonly type: ArrowTypeName;
  /** Whether its values are indices of a dictionary, which comes in a message of its own. */
  readonly isDictionary: boolean;
  /** The columns it is made of: of a list its items, of a struct its fields. */
  readonly children: readonly ArrowField[];
  /** By key; Rerun's own are found with {@linkcode rerunTag}. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** What describes the data of an Arrow IPC stream. */
export interface ArrowSchema {
  /** By key; Rerun's own are found with {@linkcode rerunTag}. */
  readonly metadata: ReadonlyMap<string, string>;
  /** The columns in their order. */
  readonly fields: readonly ArrowField[];
  /** Rerun's chunk id, SDK 0.17 and later. */
  readonly chunkId?: Tuid;
  /** Where the chunk is logged to, SDK 0.17 and later. */
  readonly entityPath?: string;
}

/** Types in types; Rerun's deepest have five. */
const MAX_DEPTH = 16;

/**
 * Reads the schema of an Arrow IPC stream; of the rest nothing is looked at.
 *
 * @param ipc the stream, not compressed
 * @throws {InvalidMessage} if it does not begin with a schema, or that is damaged
 *
 * @example
 * ```ts
 * import { readSchema } from "@rerelay/server/encoding";
 * import { assertEquals } from "@std/assert";
 * import { tableFromArrays, tableToIPC } from "apache-arrow";
 *
 * const ipc = tableToIPC(tableFromArrays({ frame: BigInt64Array.of(1n, 2n) }), "stream");
 * assertEquals(readSchema(ipc).fields.map(({ name, type }) => [name, type]), [["frame", "Int64"]]);
 * ```
 */
export function readSchema(ipc: Uint8Array): ArrowSchema {
  const { kind, header } = readIpcMessage(ipc, 0);
  if (kind !== SCHEMA) {
    throw new InvalidMessage("The Arrow IPC stream does not begin with a schema");
  }
  checkEndianness(header);
  const metadata = readMetadata(header, 2);
  const chunkId = parseChunkId(rerunTag(metadata, "id"));
  const entityPath = rerunTag(metadata, "entity_path");
  return {
    metadata,
    fields: header.tables(1).map((field) => readField(field, 0)),
    ...(chunkId !== undefined && { chunkId }),
    ...(entityPath !== undefined && { entityPath }),
  };
}

/**
 * The value of one of Rerun's tags in a schema's or a column's metadata.
 *
 * @param metadata of an {@linkcode ArrowSchema} or {@linkcode ArrowField}
 * @param name without its prefix, which is `rerun.` up to SDK 0.23 and `rerun:` in later ones
 *
 * @example
 * ```ts
 * import { rerunTag } from "@rerelay/server/encoding";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(rerunTag(new Map([["rerun.entity_path", "/robot"]]), "entity_path"), "/robot");
 * assertEquals(rerunTag(new Map([["rerun:entity_path", "/robot"]]), "entity_path"), "/robot");
 * ```
 */
export function rerunTag(metadata: ReadonlyMap<string, string>, name: string): string | undefined {
  return metadata.get(`rerun:${name}`) ?? metadata.get(`rerun.${name}`);
}

function readField(field: FlatTable, depth: number): ArrowField {
  if (depth > MAX_DEPTH) {
    throw new InvalidMessage(`Arrow types are nested deeper than ${MAX_DEPTH}`);
  }
  return {
    name: field.string(0) ?? "",
    type: typeName(field.u8(2), field.table(3)),
    isDictionary: field.table(4) !== undefined,
    children: field.tables(5).map((child) => readField(child, depth + 1)),
    metadata: readMetadata(field, 6),
  };
}

function typeName(number: number, type: FlatTable | undefined): ArrowTypeName {
  const name = TYPES[number];
  if (name === undefined || type === undefined) {
    throw new InvalidMessage(`Unknown Arrow type ${number}`);
  }
  const unit = (absent: number) => `${name}[${["s", "ms", "us", "ns"][type.i16(0, absent)]}]`;
  if (name === "Int") return `${type.bool(1) ? "" : "U"}Int${type.i32(0)}`;
  if (name === "Timestamp") return unit(0);
  if (name === "Duration") return unit(1);
  return name;
}

function readMetadata(table: FlatTable, field: number): Map<string, string> {
  return new Map(table.tables(field).map((pair) => [pair.string(0) ?? "", pair.string(1) ?? ""]));
}

/** 32 hex digits, from SDK 0.23 on with `chunk_` before them. */
function parseChunkId(text: string | undefined): Tuid | undefined {
  const match = /^(?:chunk_)?([0-9a-f]{16})([0-9a-f]{16})$/i.exec(text ?? "");
  return match ? new Tuid(BigInt(`0x${match[1]}`), BigInt(`0x${match[2]}`)) : undefined;
}
