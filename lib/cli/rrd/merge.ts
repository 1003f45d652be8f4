/**
 * `rrd merge`: several files into one.
 *
 * @module
 */
import { RrdConcat } from "../../rrd/writer.ts";
import { EXIT } from "../exit_codes.ts";
import type { CliProcess } from "../process.ts";
import { plural } from "../units.ts";
import { nameOf, parts, type RrdContext } from "./input.ts";
import type { RrdOptions } from "./options.ts";
import { openOutput } from "./output.ts";

/** Runs the command; messages keep the order of the files. */
export async function merge(options: RrdOptions, context: RrdContext): Promise<number> {
  const { process, files, progress } = context;
  const path = options.output ?? "-";
  const output = await openOutput(path, options.files, files, options.force);
  const concat = new RrdConcat();
  let messages = 0;
  try {
    for (const input of options.files) {
      for await (const part of parts(input, context)) {
        if (part.kind !== "message" || part.msg.encoded.form !== "rrd") continue;
        messages++;
        for (const bytes of concat.message(part.msg.encoded)) await output.write(bytes);
      }
    }
    for (const bytes of concat.end()) await output.write(bytes);
    await output.sync();
  } finally {
    await output.close();
  }
  progress.done();
  warnOfHeaders(concat, process);
  if (options.json && path !== "-") {
    process.stdout(
      `${JSON.stringify({ file: nameOf(path), messages, headers: concat.headers })}\n`,
    );
  } else if (path !== "-") {
    process.stderr(`${path}: ${plural(messages, "message")} written\n`);
  }
  return EXIT.ok;
}

/** Says so where Rerun would show only a part of the output. */
export function warnOfHeaders({ headers }: RrdConcat, process: CliProcess): void {
  if (headers < 2) return;
  process.stderr(
    `warning: the output has ${headers} encodings one after another: Rerun reads all of them from ` +
      "standard input, of a file only the first\n",
  );
}
