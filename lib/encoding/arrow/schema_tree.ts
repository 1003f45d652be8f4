/**
 * Reads a schema message of an Arrow IPC stream completely, so that it can be written again with
 * other names and tags.
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";
import type { FlatTable, FlatText } from "./_flatbuffers.ts";
import { checkEndianness, readIpcMessage, SCHEMA } from "./_ipc_message.ts";
import { type Parameters, readParameters } from "./_type_parameters.ts";

/** How deep types may be nested; Rerun's deepest have five levels. */
const MAX_DEPTH = 16;

/** A key and a value in the metadata of a schema or a column. */
export interface SchemaTag {
  readonly key: string;
  readonly value: string;
  /** Where the value is in the metadata of the message; absent if it was not read from there. */
  readonly place?: TextPlace;
}

/** Where a text begins and ends, in bytes. */
export interface TextPlace {
  readonly start: number;
  readonly end: number;
}

/** A column, with all that Arrow says of it. */
export interface SchemaField {
  readonly name: string;
  /** Set if it has no name, which some readers can't handle. */
  readonly isNameless?: true;
  readonly nullable: boolean;
  /** As Arrow's `Type` union numbers it. */
  readonly type: number;
  /** Parameters of the type, in Arrow's order. */
  readonly parameters: Parameters;
  readonly dictionary: SchemaDictionary | undefined;
  readonly children: readonly SchemaField[];
  readonly tags: readonly SchemaTag[];
}

/** Says that the values of a column are indices. */
export interface SchemaDictionary {
  readonly id: number;
  /** Parameters of the indices' type, an integer; absent for Arrow's default. */
  readonly index: Parameters | undefined;
  readonly isOrdered: boolean;
  readonly kind: number;
}

/** A schema message. */
export interface SchemaTree {
  /** Metadata version, in Arrow's numbers. */
  readonly version: number;
  readonly fields: readonly SchemaField[];
  readonly tags: readonly SchemaTag[];
  /** Places of all texts that were read. */
  readonly texts: readonly TextPlace[];
}

/**
 * Reads the schema message at the beginning of an Arrow IPC stream.
 *
 * @param ipc the stream, not compressed
 * @param reads as long as the message's metadata: is told how each byte of that was read
 * @throws {InvalidMessage} if it is damaged, or has what could not be written again
 */
export function readSchemaTree(ipc: Uint8Array, reads?: Uint8Array): SchemaTree {
  const { tree, header, message } = parseSchema(ipc, reads);
  if (message.tables(4).length > 0 || header.lengths(3).length > 0) {
    throw new InvalidMessage("An Arrow schema has features that Rerun does not use");
  }
  return tree;
}

/**
 * As {@linkcode readSchemaTree}, also for schemas that could not be written again.
 *
 * @returns the schema, and the tables that it was read from
 * @throws {InvalidMessage} if it is damaged
 */
export function parseSchema(
  ipc: Uint8Array,
  reads?: Uint8Array,
): { readonly tree: SchemaTree; readonly header: FlatTable; readonly message: FlatTable } {
  const { kind, version, header, bodyBytes, message } = readIpcMessage(ipc, 0, reads);
  if (kind !== SCHEMA) {
    throw new InvalidMessage("The Arrow IPC stream begins with no schema");
  }
  if (bodyBytes !== 0) throw new InvalidMessage("An Arrow schema has a body");
  checkEndianness(header);
  const reader = new TreeReader();
  const fields = header.tables(1).map((field) => reader.field(field, 0));
  const tags = reader.tags(header, 2);
  return { tree: { version, fields, tags, texts: reader.texts }, header, message };
}

class TreeReader {
  readonly texts: TextPlace[] = [];

  field(table: FlatTable, depth: number): SchemaField {
    if (depth > MAX_DEPTH) {
      throw new InvalidMessage(`Arrow types are nested deeper than ${MAX_DEPTH}`);
    }
    const type = table.u8(2);
    const encoding = table.table(4);
    const name = this.#text(table, 0)?.text;
    return {
      name: name ?? "",
      ...(name === undefined && { isNameless: true }),
      nullable: table.bool(1),
      type,
      parameters: readParameters(type, table.table(3), (each, slot) => this.#text(each, slot)),
      dictionary: encoding && dictionary(encoding),
      children: table.tables(5).map((child) => this.field(child, depth + 1)),
      tags: this.tags(table, 6),
    };
  }

  tags(table: FlatTable, slot: number): SchemaTag[] {
    return table.tables(slot).map((pair) => {
      const key = this.#text(pair, 0)?.text ?? "";
      const value = this.#text(pair, 1);
      if (value === undefined) return { key, value: "" };
      return { key, value: value.text, place: { start: value.start, end: value.end } };
    });
  }

  #text(table: FlatTable, slot: number): FlatText | undefined {
    const text = table.textAt(slot);
    if (text !== undefined) this.texts.push(text);
    return text;
  }
}

function dictionary(table: FlatTable): SchemaDictionary {
  const index = table.table(1);
  return {
    id: table.length(0),
    index: index && readParameters(2, index, () => undefined),
    isOrdered: table.bool(2),
    kind: table.i16(3),
  };
}
