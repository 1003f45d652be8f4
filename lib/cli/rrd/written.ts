/**
 * What a command prints when it has written a recording.
 *
 * @module
 */
import { escapeText } from "../../base/escape.ts";
import { plural } from "../../base/plural.ts";
import type { RrdContext } from "./context.ts";
import { nameOf } from "./input.ts";
import type { RrdOptions } from "./options.ts";
import type { RecordingFile } from "./recording_file.ts";

/**
 * Prints how many messages were written, as a line, or with `--json` as an object.
 *
 * @param file that was finished
 * @param counts further counts of the command, for the object
 * @param more more of the line, behind the number of messages
 */
export function tellWritten(
  file: RecordingFile,
  { json }: RrdOptions,
  { process }: RrdContext,
  { counts, more }: { readonly counts: object; readonly more: string },
): void {
  const { path, messages, headers, indexedChunks } = file;
  if (json) {
    // Standard output may be the recording.
    const write = path === "-" ? process.stderr : process.stdout;
    const chunk_index = indexedChunks ?? null;
    const report = { file: nameOf(path), messages, ...counts, headers, chunk_index };
    write(`${JSON.stringify(report)}\n`);
  } else if (path !== "-") {
    process.stderr(`${escapeText(path)}: ${plural(messages, "message")} written${more}\n`);
  }
}

/** A text about messages that several files had. */
export function repeatedText(leftOut: number): string {
  return leftOut === 0
    ? ""
    : `; ${leftOut} of static data or of blueprints that came before left out`;
}
