/**
 * The file that holds the position in a NATS stream: one JSON object and its checksum.
 *
 * @module
 */
import { xxh32 } from "../encoding/rrd/xxh32.ts";
import type { NatsNote } from "../server/nats_note.ts";
import type { FileMark } from "../sinks/file/file_mark.ts";

/** The content of the file. */
export interface PositionFile {
  readonly note: NatsNote;
  /**
   * How many messages of each recording are in the files already, although the position is before
   * them.
   */
  readonly beyond: NatsNote["beyond"];
  /** The file that was begun last; `null` before the first. */
  readonly last: string | null;
  /** The lengths of the files that were open. */
  readonly open: readonly FileMark[];
}

/** The text of the file. */
export function positionText(position: PositionFile): string {
  const json = JSON.stringify({ version: 1, ...position });
  return `${json}\n${checksum(json)}\n`;
}

/**
 * Reads the text of the file.
 *
 * @throws {Error} if it is torn, or was not written by Rerelay
 */
export function parsePosition(text: string): PositionFile {
  const [json = "", sum] = text.split("\n");
  if (checksum(json) !== sum) throw new Error("its checksum does not match");
  const position = JSON.parse(json);
  if (position?.version !== 1) throw new Error(`its version is ${position?.version}`);
  return position;
}

function checksum(json: string): string {
  return xxh32(new TextEncoder().encode(json), 0).toString(16).padStart(8, "0");
}
