/**
 * The types of Arrow columns, each with its parameters checked:
 * https://github.com/apache/arrow/blob/main/format/Schema.fbs
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";
import type { FlatTable } from "./_flatbuffers.ts";

/** Types in types; Rerun's deepest have five. */
const MAX_DEPTH = 16;
/** Bytes or items of a value of fixed size, as an `int` bears. */
const MAX_SIZE = 2 ** 31 - 1;

/** A column's type, with what its buffers' lengths follow from. */
export interface Column {
  /** As Arrow's `Type` union numbers it. */
  readonly type: number;
  /** Bits of a value; bytes of an offset; length of a fixed-size list; 1 for a dense union. */
  readonly size: number;
  /** If its values are indices: the dictionary's id, and bits of an index. */
  readonly dictionary: { readonly id: number; readonly bits: number } | undefined;
  readonly children: readonly Column[];
  /** Of a union: by which number its rows name each child. */
  readonly typeIds: readonly number[];
}

/** Arrow's `Type` union, as far as Rerun's viewers read it. */
export const T = {
  NULL: 1,
  INT: 2,
  FLOAT: 3,
  BINARY: 4,
  UTF8: 5,
  BOOL: 6,
  DECIMAL: 7,
  DATE: 8,
  TIME: 9,
  TIMESTAMP: 10,
  INTERVAL: 11,
  LIST: 12,
  STRUCT: 13,
  UNION: 14,
  FIXED_BINARY: 15,
  FIXED_LIST: 16,
  MAP: 17,
  DURATION: 18,
  LARGE_BINARY: 19,
  LARGE_UTF8: 20,
  LARGE_LIST: 21,
  BINARY_VIEW: 23,
  UTF8_VIEW: 24,
} as const;

/** How many columns a type is made of; none where it is not listed, any number where that is −1. */
const CHILDREN: Readonly<Record<number, number>> = {
  [T.LIST]: 1,
  [T.STRUCT]: -1,
  [T.UNION]: -1,
  [T.FIXED_LIST]: 1,
  [T.MAP]: 1,
  [T.LARGE_LIST]: 1,
};

/** A type that Arrow got later, or that Rerun's viewers do not read. */
export class UnknownArrowType extends InvalidMessage {
  /** Takes its number in Arrow's `Type` union. */
  constructor(readonly type: number) {
    super(`Damaged Arrow data: unknown type ${type}`);
  }
}

/** The error of data that can't be read. */
export function damaged(what: string): InvalidMessage {
  return new InvalidMessage(`Damaged Arrow data: ${what}`);
}

/**
 * Reads a column of a schema.
 *
 * @param field a `Field` of Arrow's `Schema.fbs`
 * @throws {InvalidMessage} if it is damaged, or of a type that Arrow has not
 */
export function readColumn(field: FlatTable, depth = 0): Column {
  if (depth > MAX_DEPTH) throw damaged(`types are nested deeper than ${MAX_DEPTH}`);
  if (!field.checkString(0)) throw damaged("a column has no name");
  checkMetadata(field, 6);
  const type = field.u8(2);
  const parameters = field.table(3);
  if (parameters === undefined) throw damaged("a column has no type");
  const size = sizeOf(type, parameters);
  const children = field.tables(5).map((child) => readColumn(child, depth + 1));
  const expected = CHILDREN[type] ?? 0;
  if (expected < 0 ? type === T.STRUCT && children.length === 0 : children.length !== expected) {
    throw damaged(`a column of type ${type} is made of ${children.length} others`);
  }
  const typeIds = type === T.UNION ? readTypeIds(parameters.numbers(1), children.length) : [];
  const encoding = field.table(4);
  const dictionary = encoding === undefined ? undefined : {
    id: encoding.length(0),
    bits: intBits(encoding.table(1)),
  };
  return { type, size, dictionary, children, typeIds };
}

/** Reads over pairs of texts. */
export function checkMetadata(table: FlatTable, field: number): void {
  for (const pair of table.tables(field)) {
    pair.checkString(0);
    pair.checkString(1);
  }
}

function sizeOf(type: number, table: FlatTable): number {
  switch (type) {
    case T.INT:
      return intBits(table);
    case T.FLOAT:
      return oneOf([16, 32, 64][table.i16(0)]);
    case T.BOOL:
      return 1;
    case T.DECIMAL:
      within(table.i32(0), 1, 76);
      within(table.i32(1), -128, 127);
      return oneOf([128, 256].find((bits) => bits === table.i32(2, 128)));
    case T.DATE:
      return oneOf([32, 64][table.i16(0, 1)]);
    case T.TIME:
      // Seconds and milliseconds are Int32, the others Int64.
      return oneOf(
        [32, 32, 64, 64].find((bits, unit) =>
          bits === table.i32(1, 32) && unit === table.i16(0, 1)
        ),
      );
    case T.TIMESTAMP:
      table.checkString(1);
      return oneOf([64, 64, 64, 64][table.i16(0)]);
    case T.DURATION:
      return oneOf([64, 64, 64, 64][table.i16(0, 1)]);
    case T.INTERVAL:
      return oneOf([32, 64, 128][table.i16(0)]);
    case T.FIXED_BINARY:
      return 8 * within(table.i32(0), 0, MAX_SIZE);
    case T.FIXED_LIST:
      return within(table.i32(0), 0, MAX_SIZE);
    case T.UNION:
      return oneOf([0, 1][table.i16(0)]);
    case T.LARGE_BINARY:
    case T.LARGE_UTF8:
    case T.LARGE_LIST:
      return 8;
    default:
      // What is newer, Rerun's viewers do not read, and some end at it.
      if (!Object.values<number>(T).includes(type)) throw new UnknownArrowType(type);
      return 4;
  }
}

function intBits(table: FlatTable | undefined): number {
  return oneOf([8, 16, 32, 64].find((bits) => bits === table?.i32(0)));
}

function oneOf(size: number | undefined): number {
  if (size === undefined) throw damaged("a type has parameters that Arrow has not");
  return size;
}

function within(value: number, least: number, most: number): number {
  return oneOf(value >= least && value <= most ? value : undefined);
}

/** They are bytes, one a child; without any the children are numbered. */
function readTypeIds(ids: readonly number[], children: number): readonly number[] {
  if (ids.length === 0) return Array.from({ length: within(children, 0, 128) }, (_, i) => i);
  for (const id of ids) within(id, 0, 127);
  if (ids.length !== children || new Set(ids).size !== children) oneOf(undefined);
  return ids;
}
