/**
 * Reads which part of a file a request asks for (RFC 9110, section 14).
 *
 * @module
 */

/** A part of a file, in bytes: from `start` up to `end`, exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Reads the header `Range`.
 *
 * @param text of the header
 * @param size of the file in bytes
 * @returns `undefined` for the whole file, if no part is asked for, or several, or the header makes
 * no sense; `"outside"` if the file has nothing there
 */
export function byteRange(text: string | null, size: number): ByteRange | "outside" | undefined {
  const [, first = "", last = ""] = /^bytes=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(text ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? "outside" : { start: size - length, end: size };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= size) return "outside";
  return { start, end: last === "" ? size : Math.min(size, Number(last) + 1) };
}
