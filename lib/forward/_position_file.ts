/**
 * A position in a stream as a file holds it: one JSON object and a checksum of it.
 *
 * @module
 */
import { xxh32 } from "../encoding/rrd/xxh32.ts";
import type { NatsNote } from "../server/nats_note.ts";
import type { FileMark } from "../sinks/file/file_mark.ts";

/** What stands in the file. */
export interface PositionFile {
  readonly note: NatsNote;
  /** Messages of each recording that were in the files though the position is not behind them. */
  readonly beyond: NatsNote["beyond"];
  /** The file that was begun last; none before the first. */
  readonly last: string | null;
  /** How far those went that were open. */
  readonly open: readonly FileMark[];
}

/** The file's text. */
export function positionText(position: PositionFile): string {
  const json = JSON.stringify({ version: 1, ...position });
  return `${json}\n${checksum(json)}\n`;
}

/**
 * Reads the file's text.
 *
 * @throws {Error} if it is torn, or none of ours
 */
export function parsePosition(text: string): PositionFile {
  const [json = "", sum] = text.split("\n");
  if (checksum(json) !== sum) throw new Error("its checksum is another");
  const position = JSON.parse(json);
  if (position?.version !== 1) throw new Error(`its version is ${position?.version}`);
  return position;
}

function checksum(json: string): string {
  return xxh32(new TextEncoder().encode(json), 0).toString(16).padStart(8, "0");
}
