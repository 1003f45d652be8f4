/**
 * Splits gathered messages into those that fit into a file that can't grow any more, and the rest.
 *
 * @module
 */
import { RRD_HEADER_BYTES, type RrdHeader } from "../../../encoding/rrd_header.ts";
import { MESSAGE_HEADER_BYTES, readMessageHeader } from "../../../encoding/rrd/rrd_message.ts";
import type { Piece } from "./_pieces.ts";

/** A message, with the header that it came under. */
export interface Came {
  readonly header: RrdHeader;
  readonly bytes: Uint8Array;
}

/** Where gathered messages are split. */
export interface Fitting {
  /** Bytes of the whole messages that fit, as they are written. */
  readonly size: number;
  /** Messages of any kind. */
  readonly total: number;
  /** Messages among them that count, and their bytes as they came. */
  readonly messages: number;
  readonly bytes: number;
  /** The messages behind them that count. */
  readonly rest: Came[];
}

/**
 * Splits behind the last message that fits.
 *
 * @param piece what was to be written
 * @param header under which its messages came
 * @param written the same messages as they are written, compressed or not
 * @param writtenHeader header of the file, which decides where messages have their lengths
 * @param taken how many of these bytes the file took
 * @param isFirst whether the file's header precedes them
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

/** The ends of all messages, and of the header before them. */
function endsOf(header: RrdHeader, bytes: Uint8Array, isFirst: boolean): number[] {
  const ends = isFirst ? [RRD_HEADER_BYTES] : [];
  const size = MESSAGE_HEADER_BYTES[header.serializer];
  for (let at = ends[0] ?? 0; at + size <= bytes.length; ends.push(at)) {
    at += size + readMessageHeader(header, bytes, at, Infinity).length;
  }
  return ends;
}
