/**
 * Files of the disk, as `/files` lists them.
 *
 * @module
 */
import type { ShelvedFile } from "../../recordings/shelf.ts";

/** One file, as `/files` lists it; what is not known without reading all of it is `null`. */
export interface FileJson {
  /** The name by which it is asked for. */
  readonly name: string;
  /** The id of its first recording. */
  readonly recording: string | null;
  /** How many recordings it holds. */
  readonly recordings: number | null;
  /** The application of its first recording. */
  readonly applicationId: string | null;
  /** Version of the SDK that logged first. */
  readonly sdk: string | null;
  /** When its first message came, in ISO 8601. */
  readonly first: string | null;
  /** When its last message came, in ISO 8601. */
  readonly last: string | null;
  /** When its first message came, in milliseconds since the Unix epoch. */
  readonly firstMs: number | null;
  /** When its last message came, in milliseconds since the Unix epoch. */
  readonly lastMs: number | null;
  /** How many logged messages it has. */
  readonly messages: number | null;
  /** Its length in bytes; of a file that is being written, what is whole so far. */
  readonly bytes: number;
  /**
   * `writing`, `closed`, or `left`: by an earlier run, so that it has to be recovered before it can
   * be read.
   */
  readonly state: ShelvedFile["state"];
  /** Whether it was damaged, and holds what could still be read; `null` if nobody has looked. */
  readonly damaged: boolean | null;
  /** Whether `DELETE` would remove it. */
  readonly deletable: boolean;
  /** Its address: a path below that of the app. */
  readonly url: string;
}

/**
 * Makes the JSON of a file.
 *
 * @param file as its shelf has it
 * @param mayDelete whether files may be removed at all
 */
export function fileJson(file: ShelvedFile, mayDelete: boolean): FileJson {
  const { name, firstMs, lastMs, state, bytes } = file;
  return {
    name,
    recording: file.recording ?? null,
    recordings: file.recordings ?? null,
    applicationId: file.application ?? null,
    sdk: file.sdk ?? null,
    first: isoOf(firstMs),
    last: isoOf(lastMs),
    firstMs: firstMs ?? null,
    lastMs: lastMs ?? null,
    messages: file.messages ?? null,
    bytes,
    state,
    damaged: file.damaged ?? null,
    deletable: mayDelete && file.isOurs && state === "closed",
    url: `files/${encodeURIComponent(name.toWellFormed())}`,
  };
}

function isoOf(ms: number | undefined): string | null {
  // Checked, since the index that it comes from may hold anything.
  return ms === undefined || !(Math.abs(ms) <= 8.64e15) ? null : new Date(ms).toISOString();
}
