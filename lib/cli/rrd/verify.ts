/**
 * `rrd verify`: checks that everything can be decoded, Arrow data included.
 *
 * @module
 */
import { stat } from "node:fs/promises";
import { RerelayError } from "../../base/errors.ts";
import { checkIndex } from "./check_index.ts";
import { IndexCheck, type IndexTally } from "../../chunk_index/index_check.ts";
import { RrdDamage } from "../../encoding/rrd/part.ts";
import { RrdReport } from "../../recordings/report.ts";
import { escapeText } from "../../base/escape.ts";
import { EXIT } from "../exit_codes.ts";
import { plural } from "../../base/plural.ts";
import { formatBytes, formatPlural } from "../terminal/units.ts";
import { type RecordingFolder, recordingsIn } from "./folder.ts";
import { InputError, nameOf, noEndText, parts } from "./input.ts";
import type { RrdContext } from "./context.ts";
import type { RrdOptions } from "./options.ts";
import { NO_INDEX } from "./stats_text.ts";

/** The result for one file. */
interface Result {
  readonly path: string;
  readonly report: RrdReport;
  /** What its chunk index lists, if it has one. */
  readonly index: IndexTally | undefined;
  /** Whether it is of today's form and has no chunk index. */
  readonly lacksIndex?: boolean;
  readonly failure: InputError | undefined;
}

/** The results of all files. */
interface Totals {
  files: number;
  good: number;
  bad: number;
  messages: number;
  bytes: number;
  missing_end_markers: number;
  unfinished: number;
  set_aside: number;
  not_utf8: number;
}

/**
 * Runs the command over all files, and goes on after bad ones; a folder stands for the files in it.
 */
export async function verify(options: RrdOptions, context: RrdContext): Promise<number> {
  const { process, progress } = context;
  const results: unknown[] = [];
  const totals: Totals = {
    ...{ files: 0, good: 0, bad: 0, messages: 0, bytes: 0 },
    ...{ missing_end_markers: 0, unfinished: 0, set_aside: 0, not_utf8: 0 },
  };
  let folders = 0;
  const add = (result: Result) => {
    progress.done();
    count(totals, result);
    if (options.json) results.push(resultJson(result));
    if (result.failure !== undefined) process.stderr(`error: ${failureText(result)}\n`);
    else if (!options.json) process.stdout(`${goodText(result)}\n`);
  };
  for (const path of options.files) {
    if (!await isFolder(path)) {
      add(await verifyFile(path, options, context));
      continue;
    }
    folders++;
    const found = await look(path);
    if (found instanceof InputError) {
      add({ path, report: new RrdReport(), index: undefined, failure: found });
      continue;
    }
    for (const failure of found.unread) {
      add({ path: failure.input, report: new RrdReport(), index: undefined, failure });
    }
    // Nothing is known of these: neither that they are good, nor that they are bad.
    for (const { message } of found.unnamed) process.stderr(`error: ${escapeText(message)}\n`);
    totals.not_utf8 += found.unnamed.length;
    totals.unfinished += found.unfinished;
    totals.set_aside += found.setAside;
    for (const file of found.files) add(await verifyFile(file, options, context));
  }
  if (options.json) {
    const report = folders === 0 ? results : { files: results, totals };
    process.stdout(`${JSON.stringify(report, null, 2)}\n`);
  } else if (folders > 0) process.stdout(totalsText(totals));
  return totals.bad + totals.not_utf8 === 0 ? EXIT.ok : EXIT.failed;
}

async function verifyFile(
  path: string,
  options: RrdOptions,
  context: RrdContext,
): Promise<Result> {
  const report = new RrdReport();
  const check = new IndexCheck();
  try {
    const closed = path === "-" ? undefined : await context.closedFiles?.(path);
    const onBytes = (bytes: Uint8Array) => closed?.add(bytes);
    for await (const batch of parts(path, options, context, { checkInside: true, onBytes })) {
      for (const part of batch) {
        report.add(part);
        checkIndex(path, check, part);
      }
    }
    const differs = closed?.finish();
    if (differs !== undefined) {
      throw new InputError(nameOf(path), `changed since it was closed: ${differs}`, undefined);
    }
    const { firstMissingEnd } = report;
    if (options.strict && firstMissingEnd !== undefined) {
      const damage = new RrdDamage(firstMissingEnd, new RerelayError(noEndText(firstMissingEnd)));
      throw new InputError(nameOf(path), damage.cause.message, damage);
    }
    return { path, report, index: check.tally, lacksIndex: check.isMissing, failure: undefined };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { path, report, index: undefined, failure: error };
  }
}

async function isFolder(path: string): Promise<boolean> {
  return path !== "-" && await stat(path).then((found) => found.isDirectory(), () => false);
}

/**
 * Looks into a folder; one that can't be read or has no recordings is an error, for nothing was
 * verified.
 */
async function look(path: string): Promise<RecordingFolder | InputError> {
  try {
    const found = await recordingsIn(path);
    if (found.files.length + found.unread.length + found.unnamed.length > 0) return found;
    const { unfinished } = found;
    const but = unfinished === 0 ? "" : `, but ${plural(unfinished, "unfinished one")}`;
    return new InputError(path, `there is no .rrd or .rbl file in it${but}`, undefined);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

function count(totals: Totals, { report, failure }: Result): void {
  totals.files++;
  totals[failure === undefined ? "good" : "bad"]++;
  totals.messages += report.messages;
  totals.bytes += report.bytes;
  totals.missing_end_markers += report.missingEndMarkers;
}

function resultJson({ path, report, index, failure }: Result): unknown {
  const { messages, bytes, endMarkers, missingEndMarkers } = report;
  const result = {
    file: nameOf(path),
    ok: failure === undefined,
    messages,
    bytes,
    end_markers: endMarkers,
    missing_end_markers: missingEndMarkers,
    chunk_index: index?.chunks ?? null,
  };
  if (failure === undefined) return result;
  const { cause, why } = failure;
  return { ...result, offset: cause instanceof RrdDamage ? cause.offset : null, error: why };
}

function failureText({ report, failure }: Result): string {
  const { messages } = report;
  const behind = messages === 0 ? "" : ` (behind ${plural(messages, "good message")})`;
  return `${escapeText(failure!.message)}${behind}`;
}

function goodText({ path, report, index, lacksIndex }: Result): string {
  const { messages, bytes, endMarkers, missingEndMarkers, firstMissingEnd } = report;
  const text = `${escapeText(nameOf(path))}: ${plural(messages, "message")}, ${formatBytes(bytes)}`;
  if (firstMissingEnd !== undefined) {
    const more = missingEndMarkers > 1 ? ` (and at ${missingEndMarkers - 1} more)` : "";
    return `${text}, each good; ${noEndText(firstMissingEnd)}${more}`;
  }
  const listed = index === undefined ? "" : `, ${plural(index.chunks, "chunk")} listed`;
  const unlisted = lacksIndex ? `; ${NO_INDEX}: Rerun's own verify asks for it` : "";
  if (endMarkers > 0) return `${text}${listed}, all good${unlisted}`;
  return `${text}, each good; Rerun before 0.19 wrote no end marker: a cut between messages does not show`;
}

function totalsText(totals: Totals): string {
  const { files, good, bad, messages, bytes, unfinished, set_aside: setAside } = totals;
  const { not_utf8: notUtf8 } = totals;
  const notes = [
    ...(totals.missing_end_markers === 0
      ? []
      : [`${plural(totals.missing_end_markers, "end marker")} missing`]),
    ...(unfinished === 0 ? [] : [`${plural(unfinished, "unfinished file")} not looked at`]),
    ...(setAside === 0 ? [] : [`${plural(setAside, "original")} of recovered files not looked at`]),
    ...(notUtf8 === 0 ? [] : [`${plural(notUtf8, "name")} not UTF-8 and not looked at`]),
  ];
  return `total: ${plural(files, "file")}, ${formatPlural(messages, "message")}, ${
    formatBytes(bytes)
  }: ${good} good, ${bad} bad${notes.map((note) => `; ${note}`).join("")}\n`;
}
