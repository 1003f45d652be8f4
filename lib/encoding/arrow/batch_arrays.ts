/**
 * Reads a record batch as arrays, from which another batch can be made. The arrays use the buffers
 * of the batch, which are copied only when the new one is written.
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";
import { T } from "./_arrow_types.ts";
import type { FlatPairs } from "./_flatbuffers.ts";
import { FlatWriter } from "./_flat_writer.ts";
import { readIpcMessage, RECORD_BATCH } from "./_ipc_message.ts";
import type { SchemaField } from "./schema_tree.ts";

export { T };

/** Since this metadata version unions have no bitmap. */
const V5 = 4;
/** The mark before a message, and its length; as long as the end marker. */
const PREFIX_BYTES = 8;

/** Values of one type. */
export interface ArrowArray {
  readonly field: SchemaField;
  readonly length: number;
  /** How many of them are null. */
  readonly nulls: number;
  /** The buffers in the type's order: bitmap, offsets, values. */
  readonly buffers: readonly Uint8Array[];
  readonly children: readonly ArrowArray[];
}

/** Columns of a batch, all of the same length. */
export interface Batch {
  readonly length: number;
  readonly columns: readonly ArrowArray[];
}

/**
 * Reads a record batch. Its buffers are checked to be there, but not for what they hold.
 *
 * @param ipc an Arrow IPC stream
 * @param at where the batch's message begins, in bytes
 * @param fields of the schema
 * @throws {InvalidMessage} if it is damaged, or has features that chunks of Rerun do not have
 */
export function readBatch(ipc: Uint8Array, at: number, fields: readonly SchemaField[]): Batch {
  const { kind, version, header, bodyAt, bodyBytes } = readIpcMessage(ipc, at);
  if (kind !== RECORD_BATCH) {
    throw new InvalidMessage(`An Arrow message of kind ${kind}, where a record batch is due`);
  }
  if (version !== V5) throw new InvalidMessage(`Arrow metadata of the unknown version ${version}`);
  if (header.table(3) !== undefined) {
    throw new InvalidMessage("Arrow buffers are compressed one by one");
  }
  if (bodyAt + bodyBytes > ipc.length) throw new InvalidMessage("An Arrow batch is cut short");
  const body = ipc.subarray(bodyAt, bodyAt + bodyBytes);
  const reader = new ArrayReader(header.pairs(1), header.pairs(2), body);
  return { length: header.length(0), columns: fields.map((field) => reader.array(field)) };
}

class ArrayReader {
  #node = 0;
  #buffer = 0;

  constructor(
    readonly nodes: FlatPairs,
    readonly buffers: FlatPairs,
    readonly body: Uint8Array,
  ) {}

  array(field: SchemaField): ArrowArray {
    if (field.dictionary !== undefined) {
      throw new InvalidMessage(
        "An Arrow column has a dictionary, which chunks of Rerun do not have",
      );
    }
    const [length, nulls] = this.nodes.at(this.#node++);
    const buffers = Array.from({ length: buffersOf(field) }, () => this.#next());
    return { field, length, nulls, buffers, children: field.children.map((f) => this.array(f)) };
  }

  #next(): Uint8Array {
    const [at, bytes] = this.buffers.at(this.#buffer++);
    if (at + bytes > this.body.length) {
      throw new InvalidMessage("An Arrow buffer leads outside of its batch");
    }
    return this.body.subarray(at, at + bytes);
  }
}

function buffersOf({ type, parameters }: SchemaField): number {
  switch (type) {
    case T.NULL:
      return 0;
    case T.STRUCT:
    case T.FIXED_LIST:
      return 1;
    case T.UNION:
      return parameters[0] === 1 ? 2 : 1;
    case T.BINARY:
    case T.UTF8:
    case T.LARGE_BINARY:
    case T.LARGE_UTF8:
      return 3;
    case T.BINARY_VIEW:
    case T.UTF8_VIEW:
      throw new InvalidMessage("An Arrow column is of views, which chunks of Rerun do not have");
    default:
      return 2;
  }
}

/** A batch to be written. */
export interface EncodedBatch {
  /** How many bytes it takes, with the end marker of its stream. */
  readonly bytes: number;
  /** Writes it to the beginning of `into`. */
  write(into: Uint8Array): void;
}

/**
 * Encodes a record batch with which its stream ends.
 *
 * @param batch its columns, whose buffers must stay as they are until it is written
 */
export function encodeBatch({ length, columns }: Batch): EncodedBatch {
  const nodes: [number, number][] = [];
  const buffers: Uint8Array[] = [];
  const gather = (array: ArrowArray) => {
    nodes.push([array.length, array.nulls]);
    buffers.push(...array.buffers);
    for (const child of array.children) gather(child);
  };
  for (const column of columns) gather(column);
  let bodyBytes = 0;
  const places = buffers.map((buffer): [number, number] => {
    const at = bodyBytes;
    bodyBytes += up(buffer.length);
    return [at, buffer.length];
  });
  const metadata = encodeMetadata(length, nodes, places, bodyBytes);
  const bodyAt = PREFIX_BYTES + metadata.length;
  return {
    bytes: bodyAt + bodyBytes + PREFIX_BYTES,
    write(into) {
      const view = new DataView(into.buffer, into.byteOffset, into.length);
      view.setUint32(0, 0xffffffff, true);
      view.setUint32(4, metadata.length, true);
      into.set(metadata, PREFIX_BYTES);
      buffers.forEach((buffer, i) => {
        const at = bodyAt + places[i]![0];
        into.set(buffer, at);
        into.fill(0, at + buffer.length, at + up(buffer.length));
      });
      view.setUint32(bodyAt + bodyBytes, 0xffffffff, true);
      view.setUint32(bodyAt + bodyBytes + 4, 0, true);
    },
  };
}

function encodeMetadata(
  length: number,
  nodes: readonly [number, number][],
  buffers: readonly [number, number][],
  bodyBytes: number,
): Uint8Array {
  const writer = new FlatWriter();
  const root = writer.ref();
  let header = 0;
  writer.point(
    root,
    writer.table([
      { bytes: 2, value: V5 },
      { bytes: 1, value: RECORD_BATCH },
      { bytes: "ref", to: (at) => header = at },
      { bytes: 8, value: bodyBytes },
    ]),
  );
  let [nodesAt, buffersAt] = [0, 0];
  const batch = writer.table([
    { bytes: 8, value: length },
    { bytes: "ref", to: (at) => nodesAt = at },
    { bytes: "ref", to: (at) => buffersAt = at },
  ]);
  writer.point(header, batch);
  writer.point(nodesAt, writer.pairs(nodes));
  writer.point(buffersAt, writer.pairs(buffers));
  return writer.finish();
}

function up(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
