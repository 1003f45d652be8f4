/**
 * `rrd verify`: everything decodes, Arrow data too.
 *
 * @module
 */
import { reason, RerelayError } from "../../errors.ts";
import { summarize } from "../../rrd/chunk_summary.ts";
import { RrdDamage } from "../../rrd/part.ts";
import { escapeText } from "../../escape.ts";
import { EXIT } from "../exit_codes.ts";
import { formatBytes, plural } from "../units.ts";
import { nameOf, parts, type RrdContext } from "./input.ts";
import type { RrdOptions } from "./options.ts";

/** Runs the command over all files, the bad ones included. */
export async function verify(options: RrdOptions, context: RrdContext): Promise<number> {
  const { process, progress } = context;
  const results: unknown[] = [];
  let code: number = EXIT.ok;
  for (const path of options.files) {
    const file = nameOf(path);
    let messages = 0;
    let bytes = 0;
    try {
      for await (const part of parts(path, context)) {
        bytes += part.bytes;
        if (part.kind !== "message") continue;
        if (part.msg.kind === "ArrowMsg") {
          await summarize(part.msg).catch((error) => {
            throw new RrdDamage(part.offset, new RerelayError(reason(error), { cause: error }));
          });
        }
        messages++;
      }
      progress.done();
      results.push({ file, ok: true, messages, bytes });
      if (!options.json) {
        process.stdout(
          `${file}: ${plural(messages, "message")}, ${formatBytes(bytes)}, all good\n`,
        );
      }
    } catch (error) {
      progress.done();
      code = EXIT.failed;
      const at = error instanceof RrdDamage ? error.offset : null;
      results.push({ file, ok: false, messages, bytes, offset: at, error: reason(error) });
      process.stderr(
        `error: ${file}: ${escapeText(reason(error))} (behind ${
          plural(messages, "good message")
        })\n`,
      );
    }
  }
  if (options.json) process.stdout(`${JSON.stringify(results, null, 2)}\n`);
  return code;
}
