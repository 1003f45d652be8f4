/**
 * Rows without a time in the tables of SDK 0.9 to 0.16, which hold rows of several entities.
 *
 * @module
 */
import { InvalidMessage } from "../base/errors.ts";
import { type ArrowField, rerunTag } from "./arrow/arrow_ipc.ts";
import { type ColumnPlace, indexColumns, isIndex, locateColumns } from "./arrow/index_columns.ts";

const utf8 = new TextDecoder();

/**
 * The static rows of a table: those that have a time on no timeline.
 *
 * @param ipc an Arrow IPC stream, not compressed
 * @param fields of its schema
 * @throws {InvalidMessage} if the stream is damaged
 */
export function* staticRows(ipc: Uint8Array, fields: readonly ArrowField[]): Generator<number> {
  const times = indexColumns(ipc, fields);
  if (times.some(({ nulls }) => nulls === 0)) return;
  const { rows } = locateColumns(ipc, fields, () => false);
  for (let row = 0; row < rows; row++) {
    if (times.every((column) => column.time(row) === undefined)) yield row;
  }
}

/**
 * What rows of a table are about: the entity and the components of each.
 *
 * @param ipc an Arrow IPC stream, not compressed
 * @param fields of its schema
 * @param rows some of its rows
 * @returns each combination once, sorted
 * @throws {InvalidMessage} if the stream is damaged, or has columns whose buffers are not known
 */
export function rowSubjects(
  ipc: Uint8Array,
  fields: readonly ArrowField[],
  rows: readonly number[],
): string[] {
  const { body, columns } = locateColumns(ipc, fields, (field) => !isIndex(field));
  const paths = columns.find(({ field: { name, type } }) =>
    type === "Utf8" && /entity_?path$/i.test(name)
  );
  if (paths === undefined) throw new InvalidMessage("A table has no entity paths");
  const data = columns.filter(({ field }) => rerunTag(field.metadata, "kind") !== "control");
  const subjects = rows.map((row) =>
    JSON.stringify([
      textOf(body, paths, row),
      ...data.filter((column) => hasValue(body, column, row)).map(({ field }) => field.name).sort(),
    ])
  );
  return [...new Set(subjects)].sort();
}

function hasValue(body: DataView, { nulls, buffers, buffer }: ColumnPlace, row: number): boolean {
  if (nulls === 0) return true;
  const [at, bytes] = buffers.at(buffer);
  if ((row >> 3) >= bytes) throw new InvalidMessage("A column is cut short");
  return (byteAt(body, at + (row >> 3)) >> (row & 7) & 1) === 1;
}

function textOf(body: DataView, { buffers, buffer }: ColumnPlace, row: number): string {
  const [offsetsAt, offsetsBytes] = buffers.at(buffer + 1);
  const [textAt, textBytes] = buffers.at(buffer + 2);
  if (4 * row + 8 > offsetsBytes || offsetsAt + offsetsBytes > body.byteLength) {
    throw new InvalidMessage("A column is cut short");
  }
  const start = body.getInt32(offsetsAt + 4 * row, true);
  const end = body.getInt32(offsetsAt + 4 * row + 4, true);
  if (start < 0 || end < start || end > textBytes || textAt + end > body.byteLength) {
    throw new InvalidMessage("An Arrow offset reaches beyond its column's data");
  }
  return utf8.decode(new Uint8Array(body.buffer, body.byteOffset + textAt + start, end - start));
}

function byteAt(body: DataView, at: number): number {
  if (at >= body.byteLength) throw new InvalidMessage("A column is cut short");
  return body.getUint8(at);
}
