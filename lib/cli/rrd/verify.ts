/**
 * `rrd verify`: everything decodes, Arrow data too.
 *
 * @module
 */
import { checkArrowWhole } from "../../encoding/arrow/arrow_whole.ts";
import { RrdDamage, type RrdMessage } from "../../encoding/rrd/part.ts";
import { RrdReport } from "../../recordings/report.ts";
import { escapeText } from "../../base/escape.ts";
import { EXIT } from "../exit_codes.ts";
import { formatBytes, plural } from "../terminal/units.ts";
import { InputError, nameOf, parts, type RrdContext } from "./input.ts";
import type { RrdOptions } from "./options.ts";

/** Runs the command over all files, the bad ones included. */
export async function verify(options: RrdOptions, context: RrdContext): Promise<number> {
  const { process, progress } = context;
  const results: unknown[] = [];
  let code: number = EXIT.ok;
  for (const path of options.files) {
    const file = nameOf(path);
    const report = new RrdReport();
    let failure: InputError | undefined;
    try {
      for await (const batch of parts(path, options, context)) {
        for (const part of batch) {
          if (part.kind === "message") checkMessage(part, file);
          report.add(part);
        }
      }
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      failure = error;
      code = EXIT.failed;
    }
    progress.done();
    const { messages, bytes, endMarkers } = report;
    const result = { file, ok: failure === undefined, messages, bytes, end_markers: endMarkers };
    results.push(failure === undefined ? result : { ...result, ...failureJson(failure) });
    if (failure !== undefined) {
      const behind = messages === 0 ? "" : ` (behind ${plural(messages, "good message")})`;
      process.stderr(`error: ${escapeText(failure.message)}${behind}\n`);
    } else if (!options.json) {
      const closed = endMarkers > 0 ? "" : "; no end marker: not closed, or of Rerun before 0.19";
      process.stdout(
        `${escapeText(file)}: ${plural(messages, "message")}, ${
          formatBytes(bytes)
        }, all good${closed}\n`,
      );
    }
  }
  if (options.json) process.stdout(`${JSON.stringify(results, null, 2)}\n`);
  return code;
}

function failureJson({ cause, why }: InputError): Record<string, unknown> {
  return { offset: cause instanceof RrdDamage ? cause.offset : null, error: why };
}

function checkMessage({ msg, offset }: RrdMessage, file: string): void {
  if (msg.kind !== "ArrowMsg") return;
  try {
    checkArrowWhole(msg.ipc());
  } catch (error) {
    const damage = new RrdDamage(offset, error as Error);
    throw new InputError(file, damage.message, damage);
  }
}
