/**
 * `rrd recover`: all that is whole, and a report of what is lost.
 *
 * @module
 */
import { RerelayError } from "../../errors.ts";
import { RrdConcat } from "../../rrd/writer.ts";
import { escapeText } from "../../escape.ts";
import { EXIT } from "../exit_codes.ts";
import { formatBytes, plural } from "../units.ts";
import { nameOf, parts, type RrdContext } from "./input.ts";
import { warnOfHeaders } from "./merge.ts";
import type { RrdOptions } from "./options.ts";
import { openOutput } from "./output.ts";

/** Stretches that the report lists one by one. */
const LISTED = 100;

/** Runs the command; ends well if anything could be saved. */
export async function recover(options: RrdOptions, context: RrdContext): Promise<number> {
  const { process, files, progress } = context;
  const path = options.files[0]!;
  const output = await openOutput(options.output!, options.files, files, options.force);
  const concat = new RrdConcat();
  const damages: { offset: number; bytes: number; error: string }[] = [];
  let [stretches, lostBytes, messages, guessedHeaders] = [0, 0, 0, 0];
  try {
    for await (const part of parts(path, context, { recover: true })) {
      if (part.kind === "header" && part.isGuessed) guessedHeaders++;
      if (part.kind === "damage") {
        stretches++;
        lostBytes += part.bytes;
        const { offset, bytes, error } = part;
        if (damages.length < LISTED) damages.push({ offset, bytes, error: error.message });
      }
      if (part.kind !== "message" || part.msg.encoded.form !== "rrd") continue;
      messages++;
      for (const bytes of concat.message(part.msg.encoded)) await output.write(bytes);
    }
    for (const bytes of concat.end()) await output.write(bytes);
    await output.sync();
  } finally {
    await output.close();
  }
  progress.done();
  warnOfHeaders(concat, process);
  const report = { file: nameOf(path), messages, lost_bytes: lostBytes, damages: stretches };
  if (options.json) {
    const json = { ...report, guessed_headers: guessedHeaders, list: damages };
    // Standard output may be the recording.
    const write = options.output === "-" ? process.stderr : process.stdout;
    write(`${JSON.stringify(json, null, 2)}\n`);
  } else {
    const lines = damages.map(({ offset, bytes, error }) =>
      `  ${formatBytes(bytes)} lost at byte ${offset}: ${escapeText(error)}`
    );
    if (stretches > LISTED) lines.push(`  and ${stretches - LISTED} more`);
    const text = `${nameOf(path)}: ${plural(messages, "whole message")} written; ${
      plural(stretches, "damaged stretch").replace(/stretchs$/, "stretches")
    }, ${formatBytes(lostBytes)} lost`;
    process.stderr(`${[text, ...lines].join("\n")}\n`);
  }
  if (messages === 0) throw new RerelayError(`${nameOf(path)} holds no whole message`);
  return EXIT.ok;
}
