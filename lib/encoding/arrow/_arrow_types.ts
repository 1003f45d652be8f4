/**
 * The types that Arrow columns have:
 * https://github.com/apache/arrow/blob/main/format/Schema.fbs
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";

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

/** Names of Arrow's types, by their number in its `Type` union. */
export const TYPE_NAMES = [
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

/** A type that Arrow got later, or that Rerun's viewers do not read. */
export class UnknownArrowType extends InvalidMessage {
  /** Takes its number in Arrow's `Type` union. */
  constructor(readonly type: number) {
    super(`Unknown Arrow type ${type}`);
  }
}

/** The error of data that can't be read. */
export function damaged(what: string): InvalidMessage {
  return new InvalidMessage(`Damaged Arrow data: ${what}`);
}
