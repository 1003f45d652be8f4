/**
 * Reads the schema of an Arrow IPC stream, without reading the data:
 * https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc
 *
 * @module
 */
import { checkBytes, checkGiven, hasMethods } from "../../base/check_arguments.ts";
import { InvalidMessage } from "../../base/errors.ts";
import { typeName } from "./_type_parameters.ts";
import { parseSchema, type SchemaField, type SchemaTag } from "./schema_tree.ts";
import { Tuid } from "../tuid.ts";

/** An Arrow type's name; integers carry their width (`Int64`, `UInt8`), times their unit (`Timestamp[ns]`). */
export type ArrowTypeName = string;

/** One column of an {@linkcode ArrowSchema}. */
export interface ArrowField {
  /** The column's name; the name of a timeline is in its tag `index_name`. */
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

/**
 * Reads the schema of an Arrow IPC stream, and looks at nothing else.
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
  checkBytes("readSchema", ipc);
  const { tree } = parseSchema(ipc);
  const metadata = metadataOf(tree.tags);
  const chunkId = parseChunkId(rerunTag(metadata, "id"));
  const entityPath = rerunTag(metadata, "entity_path");
  return {
    metadata,
    fields: tree.fields.map(fieldOf),
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
  checkGiven(
    "rerunTag",
    "the metadata of a schema or a field",
    hasMethods(metadata, "get"),
    metadata,
  );
  return metadata.get(`rerun:${name}`) ?? metadata.get(`rerun.${name}`);
}

function fieldOf(field: SchemaField): ArrowField {
  const shown = {
    name: field.name,
    type: typeName(field),
    isDictionary: field.dictionary !== undefined,
    children: field.children.map(fieldOf),
    metadata: metadataOf(field.tags),
  };
  TOLD.set(shown, field);
  return shown;
}

/** Columns that were given out, with all that their schemas say of them. */
const TOLD = new WeakMap<ArrowField, SchemaField>();

/**
 * All that the schema tells of a column.
 *
 * @throws {InvalidMessage} if it was not read from a schema
 */
export function toldOf(field: ArrowField): SchemaField {
  const told = TOLD.get(field);
  if (told === undefined) {
    throw new InvalidMessage(`The column ${field.name} was not read from a schema`);
  }
  return told;
}

function metadataOf(tags: readonly SchemaTag[]): Map<string, string> {
  return new Map(tags.map(({ key, value }) => [key, value]));
}

/** Reads a chunk id: 32 hex digits, from SDK 0.23 on behind `chunk_`. */
function parseChunkId(text: string | undefined): Tuid | undefined {
  const match = /^(?:chunk_)?([0-9a-f]{16})([0-9a-f]{16})$/i.exec(text ?? "");
  return match ? new Tuid(BigInt(`0x${match[1]}`), BigInt(`0x${match[2]}`)) : undefined;
}
