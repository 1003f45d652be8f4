/**
 * `rrd verify`: everything decodes, Arrow data too.
 *
 * @module
 */
import { checkArrowWhole } from "../../encoding/arrow_whole.ts";
import { reason } from "../../errors.ts";
import { RrdDamage, type RrdMessage } from "../../rrd/part.ts";
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
      for await (const batch of parts(path, context)) {
        for (const part of batch) {
          bytes += part.bytes;
          if (part.kind !== "message") continue;
          checkMessage(part);
          messages++;
        }
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

function checkMessage({ msg, offset }: RrdMessage): void {
  if (msg.kind !== "ArrowMsg") return;
  try {
    checkArrowWhole(msg.ipc());
  } catch (error) {
    throw new RrdDamage(offset, error as Error);
  }
}
