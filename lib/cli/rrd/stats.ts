/**
 * `rrd stats`: what is in recordings.
 *
 * @module
 */
import { RrdStatistics } from "../../recordings/statistics.ts";
import { IndexCheck } from "../../chunk_index/index_check.ts";
import { escapeText } from "../../base/escape.ts";
import { EXIT } from "../exit_codes.ts";
import { InputError, nameOf, partsOver } from "./input.ts";
import type { RrdContext } from "./context.ts";
import type { RrdOptions } from "./options.ts";
import { standardOutput } from "./output.ts";
import { checkIndex } from "./check_index.ts";
import { statisticsJson, statisticsText } from "./stats_text.ts";

/** Runs the command; a damaged file's statistics go as far as the damage. */
export async function stats(options: RrdOptions, context: RrdContext): Promise<number> {
  const { process, progress } = context;
  const out = standardOutput();
  const utf8 = (text: string) => new TextEncoder().encode(text);
  const results: unknown[] = [];
  let code: number = EXIT.ok;
  for (const path of options.files) {
    const statistics = new RrdStatistics();
    const check = new IndexCheck();
    let failure: InputError | undefined;
    try {
      for await (const batch of partsOver(path, options, context)) {
        for (const part of batch) {
          statistics.add(part);
          checkIndex(path, check, part);
        }
      }
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      failure = error;
      code = EXIT.failed;
    }
    progress.done();
    const damage = failure && escapeText(failure.why);
    const isRecording = statistics.encodings.size > 0;
    if (options.json) results.push(statisticsJson(nameOf(path), statistics, check.tally, damage));
    else if (isRecording) {
      await out.write(
        utf8(
          statisticsText(nameOf(path), statistics, check, process.columns(), options.verbose),
        ),
      );
    }
    if (damage !== undefined) process.stderr(`error: ${escapeText(nameOf(path))}: ${damage}\n`);
  }
  if (options.json) await out.write(utf8(`${JSON.stringify(results, null, 2)}\n`));
  return code;
}
