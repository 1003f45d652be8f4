/**
 * The file that holds the position in a NATS stream: one JSON object and its checksum, and below them lines
 * that say what has changed since, each with its checksum.
 *
 * @module
 */
import { xxh32 } from "../encoding/rrd/xxh32.ts";
import { NatsSeen } from "../server/nats_seen.ts";
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

/** A line that says what has changed: of the note, all but the subjects, and what came since. */
export function changedLine({ note, ...position }: PositionFile): string {
  const { seq, seen, beyond, covered } = note;
  const json = JSON.stringify({ note: { seq, seen, beyond, covered }, ...position });
  return `${checksum(json)} ${json}\n`;
}

/**
 * Reads the text of the file. Of lines behind one that is torn nothing is taken.
 *
 * @throws {Error} if it is torn, or was not written by Rerelay
 */
export function parsePosition(text: string): PositionFile {
  const [json = "", sum, ...lines] = text.split("\n");
  if (checksum(json) !== sum) throw new Error("its checksum does not match");
  let position = JSON.parse(json);
  if (position?.version !== 1) throw new Error(`its version is ${position?.version}`);
  if (lines.length < 2) return position;
  const seen = new NatsSeen(position.note.seen);
  for (const line of lines) {
    const json = line.slice(9);
    if (line[8] !== " " || checksum(json) !== line.slice(0, 8)) break;
    const { note, ...changed } = JSON.parse(json);
    seen.take(note.seen);
    position = { ...position, ...changed, note: { ...position.note, ...note } };
  }
  return { ...position, note: { ...position.note, seen: seen.toJSON() } };
}

function checksum(json: string): string {
  return xxh32(new TextEncoder().encode(json), 0).toString(16).padStart(8, "0");
}
