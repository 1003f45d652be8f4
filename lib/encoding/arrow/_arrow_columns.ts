/**
 * The layout of Arrow columns, by the parameters of their types:
 * https://github.com/apache/arrow/blob/main/format/Schema.fbs
 *
 * @module
 */
import { damaged, T, UnknownArrowType } from "./_arrow_types.ts";
import type { Parameter, Parameters } from "./_type_parameters.ts";
import type { SchemaField } from "./schema_tree.ts";

/** The largest size of a fixed-size value, in bytes or items: that of an `int`. */
const MAX_SIZE = 2 ** 31 - 1;

/** A column's type, with what determines the lengths of its buffers. */
export interface Column {
  /** Number of the type in Arrow's `Type` union. */
  readonly type: number;
  /** Bits of a value; bytes of an offset; length of a fixed-size list; 1 for a dense union. */
  readonly size: number;
  /** If its values are indices: the dictionary's id, and bits of an index. */
  readonly dictionary: { readonly id: number; readonly bits: number } | undefined;
  readonly children: readonly Column[];
  /** For a union, the numbers by which rows name its children. */
  readonly typeIds: readonly number[];
  /** The column in the schema. */
  readonly field: SchemaField;
}

/** How many child columns a type has; none if it is not listed, any number if it is −1. */
const CHILDREN: Readonly<Record<number, number>> = {
  [T.LIST]: 1,
  [T.STRUCT]: -1,
  [T.UNION]: -1,
  [T.FIXED_LIST]: 1,
  [T.MAP]: 1,
  [T.LARGE_LIST]: 1,
};

/**
 * Finds what determines the layout of a column.
 *
 * @param field the column in a schema
 * @throws {InvalidMessage} if it is of a type that Arrow does not have
 */
export function columnOf(field: SchemaField): Column {
  const { type, parameters } = field;
  const size = sizeOf(type, parameters);
  const children = field.children.map(columnOf);
  const expected = CHILDREN[type] ?? 0;
  if (expected < 0 ? type === T.STRUCT && children.length === 0 : children.length !== expected) {
    throw damaged(`a column of type ${type} is made of ${children.length} others`);
  }
  const typeIds = type === T.UNION ? typeIdsOf(parameters[1], children.length) : [];
  const dictionary = field.dictionary && {
    id: field.dictionary.id,
    bits: intBits(field.dictionary.index?.[0]),
  };
  return { type, size, dictionary, children, typeIds, field };
}

function sizeOf(type: number, parameters: Parameters): number {
  const [first, second, third] = parameters;
  switch (type) {
    case T.INT:
      return intBits(first);
    case T.FLOAT:
      return oneOf([16, 32, 64][Number(first)]);
    case T.BOOL:
      return 1;
    case T.DECIMAL:
      within(first, 1, 76);
      within(second, -128, 127);
      return oneOf([128, 256].find((bits) => bits === third));
    case T.DATE:
      return oneOf([32, 64][Number(first)]);
    case T.TIME:
      // Seconds and milliseconds are Int32, the others Int64.
      return oneOf([32, 32, 64, 64].find((bits, unit) => bits === second && unit === first));
    case T.TIMESTAMP:
    case T.DURATION:
      return oneOf([64, 64, 64, 64][Number(first)]);
    case T.INTERVAL:
      return oneOf([32, 64, 128][Number(first)]);
    case T.FIXED_BINARY:
      return 8 * within(first, 0, MAX_SIZE);
    case T.FIXED_LIST:
      return within(first, 0, MAX_SIZE);
    case T.UNION:
      return oneOf([0, 1][Number(first)]);
    case T.LARGE_BINARY:
    case T.LARGE_UTF8:
    case T.LARGE_LIST:
      return 8;
    default:
      // Rerun's viewers do not read newer types, and some of them end at one.
      if (!Object.values<number>(T).includes(type)) throw new UnknownArrowType(type);
      return 4;
  }
}

function intBits(bits: Parameter): number {
  return oneOf([8, 16, 32, 64].find((each) => each === bits));
}

function oneOf(size: number | undefined): number {
  if (size === undefined) throw damaged("a type has parameters that Arrow does not have");
  return size;
}

function within(value: Parameter, least: number, most: number): number {
  return oneOf(typeof value === "number" && value >= least && value <= most ? value : undefined);
}

/** The type ids of a union: a byte for each child; if there are none the children are numbered. */
function typeIdsOf(ids: Parameter, children: number): readonly number[] {
  if (typeof ids !== "object") {
    return Array.from({ length: within(children, 0, 128) }, (_, i) => i);
  }
  for (const id of ids) within(id, 0, 127);
  if (ids.length !== children || new Set(ids).size !== children) oneOf(undefined);
  return ids;
}
