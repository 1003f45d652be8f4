/**
 * `rrd recover`: writes all that is whole, and reports what is lost.
 *
 * @module
 */
import { stat } from "node:fs/promises";
import { RerelayError } from "../../base/errors.ts";
import { NO_LIMITS } from "../../encoding/limits.ts";
import { RrdReport } from "../../recordings/report.ts";
import { EXIT } from "../exit_codes.ts";
import { plural } from "../../base/plural.ts";
import { formatBytes } from "../terminal/units.ts";
import { lossText, nameOf, noEndText, parts } from "./input.ts";
import type { RrdContext } from "./context.ts";
import type { RrdOptions } from "./options.ts";
import { openOutput } from "./output.ts";
import { RecordingFile } from "./recording_file.ts";

/** Runs the command; succeeds if anything could be saved, or could be without `--dry-run`. */
export async function recover(options: RrdOptions, context: RrdContext): Promise<number> {
  const { process, progress } = context;
  const { dryRun } = options;
  const [path] = options.files as [string];
  const name = nameOf(path);
  const file = dryRun ? undefined : await openFile(options, context);
  const report = new RrdReport();
  const sizeBytes = await sizeOf(path);
  const { maxMessageBytes } = options;
  const limits = sizeBytes === undefined ? {} : { ...NO_LIMITS, maxMessageBytes };
  const how = { recover: true, sizeBytes, ...limits };
  for await (const batch of parts(path, options, context, how)) {
    for (const part of batch) {
      report.add(part);
      await file?.add(part);
    }
  }
  if (report.messages === 0) throw new RerelayError(`${name}: it holds no whole message`);
  await file?.finish(process);
  progress.done();
  // Standard output may be the recording.
  const isJsonOut = options.json && options.output !== "-";
  const write = isJsonOut ? process.stdout : process.stderr;
  const indexed = file?.indexedChunks;
  write(
    options.json ? reportJson(name, report, dryRun, indexed) : reportText(name, report, dryRun),
  );
  return EXIT.ok;
}

async function openFile(options: RrdOptions, context: RrdContext): Promise<RecordingFile> {
  const path = options.output!;
  return new RecordingFile(path, await openOutput(path, options.files, context, options.force));
}

/** The length of a file; `undefined` if it has none. */
async function sizeOf(path: string): Promise<number | undefined> {
  const found = path === "-" ? undefined : await stat(path).catch(() => undefined);
  return found?.isFile() === true && found.size > 0 ? found.size : undefined;
}

function reportText(name: string, report: RrdReport, dryRun: boolean): string {
  const { messages, losses, lostBytes, listed, firstMissingEnd } = report;
  const stretches = losses === 1 ? "1 damaged stretch" : `${losses} damaged stretches`;
  const lines = [
    `${name}: ${plural(messages, "whole message")} ${
      dryRun ? "could be written" : "written"
    }; ${stretches}, ${formatBytes(lostBytes)} lost`,
    ...listed.map((loss) => `  ${lossText(loss)}`),
    ...(losses > listed.length ? [`  and ${losses - listed.length} more`] : []),
    ...(firstMissingEnd === undefined ? [] : [`  ${noEndText(firstMissingEnd)}`]),
  ];
  return `${lines.join("\n")}\n`;
}

function reportJson(
  file: string,
  report: RrdReport,
  dryRun: boolean,
  indexed: number | undefined,
): string {
  const json = {
    file,
    dry_run: dryRun,
    messages: report.messages,
    lost_bytes: report.lostBytes,
    damages: report.losses,
    guessed_headers: report.guessedHeaders,
    missing_end_markers: report.missingEndMarkers,
    chunk_index: indexed ?? null,
    list: report.listed.map(({ offset, bytes, error }) => ({
      offset,
      bytes,
      error: error.message,
    })),
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}
