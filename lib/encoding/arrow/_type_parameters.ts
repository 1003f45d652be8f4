/**
 * Parameters of the types of Arrow columns:
 * https://github.com/apache/arrow/blob/main/format/Schema.fbs
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";
import { damaged, T, TYPE_NAMES, UnknownArrowType } from "./_arrow_types.ts";
import type { FlatTable } from "./_flatbuffers.ts";

/** A parameter: a number, a boolean, a text or numbers; `undefined` if it is absent. */
export type Parameter = number | boolean | string | readonly number[] | undefined;
/** All parameters of a type. */
export type Parameters = readonly Parameter[];

/** How a parameter is written, and its default. */
type Slot = ["i32" | "i16", number] | ["bool"] | ["text"] | ["numbers"];

/** The types that have parameters. */
const SLOTS: Readonly<Record<number, readonly Slot[]>> = {
  [T.INT]: [["i32", 0], ["bool"]],
  [T.FLOAT]: [["i16", 0]],
  [T.DECIMAL]: [["i32", 0], ["i32", 0], ["i32", 128]],
  [T.DATE]: [["i16", 1]],
  [T.TIME]: [["i16", 1], ["i32", 32]],
  [T.TIMESTAMP]: [["i16", 0], ["text"]],
  [T.INTERVAL]: [["i16", 0]],
  [T.UNION]: [["i16", 0], ["numbers"]],
  [T.FIXED_BINARY]: [["i32", 0]],
  [T.FIXED_LIST]: [["i32", 0]],
  [T.MAP]: [["bool"]],
  [T.DURATION]: [["i16", 1]],
};

/** How many columns a union may have: each has a number of seven bits. */
const MAX_NUMBERS = 128;

/** How each parameter of a type is written. */
export function slotsOf(type: number): readonly Slot[] {
  return SLOTS[type] ?? [];
}

/**
 * Reads the parameters of a type.
 *
 * @param type as Arrow's `Type` union numbers it
 * @param table what describes it
 * @param readText reads a text of the table
 * @throws {InvalidMessage} if there is no such type
 */
export function readParameters(
  type: number,
  table: FlatTable | undefined,
  readText: (table: FlatTable, slot: number) => { readonly text: string } | undefined,
): Parameters {
  if (type < 1 || TYPE_NAMES[type] === undefined) throw new UnknownArrowType(type);
  if (table === undefined) throw damaged("a column has no type");
  return slotsOf(type).map(([kind, absent], slot) => {
    switch (kind) {
      case "i32":
        return table.i32(slot, absent);
      case "i16":
        return table.i16(slot, absent);
      case "bool":
        return table.bool(slot);
      case "text":
        return readText(table, slot)?.text;
      case "numbers": {
        const numbers = table.numbers(slot);
        // Bounded, for many columns may point to the same numbers.
        if (numbers.length > MAX_NUMBERS) {
          throw new InvalidMessage(`An Arrow union of more than ${MAX_NUMBERS} types`);
        }
        return numbers.length === 0 ? undefined : numbers;
      }
    }
  });
}

/** A type's name; integers carry their width (`Int64`, `UInt8`), times their unit (`Timestamp[ns]`). */
export function typeName({ type, parameters }: { type: number; parameters: Parameters }): string {
  const name = TYPE_NAMES[type]!;
  const [first, second] = parameters;
  if (type === T.INT) return `${second ? "" : "U"}Int${first}`;
  if (type !== T.TIMESTAMP && type !== T.DURATION) return name;
  return `${name}[${["s", "ms", "us", "ns"][Number(first)]}]`;
}
