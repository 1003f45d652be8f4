/**
 * `rrd stats`: what is in recordings.
 *
 * @module
 */
import { reason } from "../../errors.ts";
import { RrdDamage } from "../../rrd/part.ts";
import { RrdStatistics } from "../../rrd/statistics.ts";
import { escapeText } from "../../escape.ts";
import { EXIT } from "../exit_codes.ts";
import { nameOf, parts, type RrdContext } from "./input.ts";
import type { RrdOptions } from "./options.ts";
import { standardOutput } from "./output.ts";
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
    let damage: string | undefined;
    let isRead = true;
    try {
      for await (const batch of parts(path, context)) {
        for (const part of batch) statistics.add(part);
      }
    } catch (error) {
      damage = escapeText(reason(error));
      isRead = error instanceof RrdDamage;
      code = EXIT.failed;
    }
    progress.done();
    if (options.json) results.push(statisticsJson(nameOf(path), statistics, damage));
    else if (isRead) {
      await out.write(utf8(statisticsText(nameOf(path), statistics, process.columns())));
    }
    if (damage !== undefined) process.stderr(`error: ${nameOf(path)}: ${damage}\n`);
  }
  if (options.json) await out.write(utf8(`${JSON.stringify(results, null, 2)}\n`));
  return code;
}
