/**
 * Columns of plain numbers, and the typed arrays that they are read into.
 *
 * @module
 */
import type { DataPlace } from "./_arrow_batch.ts";
import { T } from "./_arrow_types.ts";

/** Plain numbers, as many as a column or a row has. */
export type Numbers =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

interface NumbersOf {
  new (length: number): Numbers;
  new (buffer: ArrayBufferLike, at: number, length: number): Numbers;
}

/** Whether the values of a column are plain numbers, some of which may be missing. */
export function isNumber({ column: { type, size } }: DataPlace): boolean {
  return type === T.INT || type === T.FLOAT || type === T.DATE || type === T.TIME ||
    type === T.TIMESTAMP || type === T.DURATION || type === T.INTERVAL && size === 32;
}

/** The kind of typed array for the numbers of a column. */
export function numbersOf({ column: { type, size, field } }: DataPlace): NumbersOf {
  if (type === T.FLOAT) return size === 64 ? Float64Array : Float32Array;
  const isSigned = type !== T.INT || field.parameters[1] === true;
  switch (size) {
    case 8:
      return isSigned ? Int8Array : Uint8Array;
    case 16:
      return isSigned ? Int16Array : Uint16Array;
    case 32:
      return isSigned ? Int32Array : Uint32Array;
    default:
      return isSigned ? BigInt64Array : BigUint64Array;
  }
}

/** Reads floating-point numbers of 16 bits, for which not all runtimes have a typed array. */
export function halves(view: DataView, at: number, length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => {
    const half = view.getUint16(at + 2 * i, true);
    const sign = half >> 15 ? -1 : 1;
    const exponent = half >> 10 & 31;
    const rest = half & 1023;
    if (exponent === 0) return sign * rest * 2 ** -24;
    if (exponent === 31) return rest ? NaN : sign * Infinity;
    return sign * (1 + rest / 1024) * 2 ** (exponent - 15);
  });
}
