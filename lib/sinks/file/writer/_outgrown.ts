/**
 * What of gathered messages fits into a file that can't grow any more, and what does not.
 *
 * @module
 */
import { RRD_HEADER_BYTES, type RrdHeader } from "../../../encoding/rrd_header.ts";
import { MESSAGE_HEADER_BYTES, readMessageHeader } from "../../../encoding/rrd/rrd_message.ts";
import type { Piece } from "./_pieces.ts";

/** A message, under the header that it came under. */
export interface Came {
  readonly header: RrdHeader;
  readonly bytes: Uint8Array;
}

/** Where gathered messages are split. */
export interface Fitting {
  /** Of what is written, in bytes: whole messages. */
  readonly size: number;
  /** Messages of any kind. */
  readonly total: number;
  /** Those that count, and their bytes as they came. */
  readonly messages: number;
  readonly bytes: number;
  /** The messages that count behind these. */
  readonly rest: Came[];
}

/**
 * Splits whole messages at the last that fits.
 *
 * @param piece what was to be written
 * @param header under which its messages came
 * @param written the same as it is written, compressed or not
 * @param writtenHeader that of the file, whose messages may say their lengths elsewhere
 * @param taken how many bytes of that the file took
 * @param isFirst whether the file's header stands before them
 */
export function fitting(
  piece: Piece,
  header: RrdHeader,
  written: Uint8Array,
  writtenHeader: RrdHeader,
  taken: number,
  isFirst: boolean,
): Fitting {
  const ends = endsOf(header, piece.data, isFirst);
  const writtenEnds = written === piece.data ? ends : endsOf(writtenHeader, written, isFirst);
  const count = writtenEnds.filter((end) => end <= taken).length;
  const repeated = new Set(piece.uncounted);
  const messages = ends.map((end, i) => ({ start: ends[i - 1] ?? 0, end }))
    .filter(({ end }) => !repeated.has(end));
  const behind = ends[count - 1] ?? 0;
  const fits = messages.filter(({ end }) => end <= behind);
  return {
    size: writtenEnds[count - 1] ?? 0,
    total: Math.max(0, count - (isFirst ? 1 : 0)),
    messages: fits.length,
    bytes: fits.reduce((sum, { start, end }) => sum + end - start, 0),
    rest: messages.slice(fits.length)
      .map(({ start, end }) => ({ header, bytes: piece.data.slice(start, end) })),
  };
}

/** The messages of a piece that count. */
export function messagesOf(piece: Piece, header: RrdHeader): Came[] {
  return fitting(piece, header, piece.data, header, 0, false).rest;
}

/** Where messages end, and the header before them. */
function endsOf(header: RrdHeader, bytes: Uint8Array, isFirst: boolean): number[] {
  const ends = isFirst ? [RRD_HEADER_BYTES] : [];
  const size = MESSAGE_HEADER_BYTES[header.serializer];
  for (let at = ends[0] ?? 0; at + size <= bytes.length; ends.push(at)) {
    at += size + readMessageHeader(header, bytes, at, Infinity).length;
  }
  return ends;
}
