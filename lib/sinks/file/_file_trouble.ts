/**
 * Log lines about files that can't be made, or take no more.
 *
 * @module
 */
import { reason } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { Tally } from "../../base/tally.ts";
import { plural } from "../../base/plural.ts";

/** A file is as long as it may be, and another one goes on. */
export function tellFull(log: Log, path: string): void {
  const text = `${path} can't grow any more: the next file goes on at once`;
  log.write("info", text, { path, kind: "file full" });
}

/** A message is longer than a file may be. */
export function tellTooLarge(log: Log, path: string, bytes: number): void {
  const text = `A message of ${plural(bytes, "byte")} is lost: no file here can be as large`;
  log.write("error", text, { path, messages: 1, bytes, kind: "file too large" });
}

/** No file could be made. */
export function tellNoFile(log: Log, error: unknown): void {
  const text = `No file could be made, messages are lost until one can: ${reason(error)}`;
  log.write("error", text, { kind: "no file" });
}

/** A file had to be given up. */
export function tellBroken(
  log: Log,
  path: string,
  written: Tally,
  lost: Tally,
  error: unknown,
): void {
  log.write(
    "error",
    `${path} ends after ${plural(written.messages, "message")} (${
      plural(written.bytes, "byte")
    }), and loses ` +
      `${plural(lost.messages, "message")} (${
        plural(lost.bytes, "byte")
      }), and all until another file takes ` +
      `them: ${reason(error)}`,
    { path, messages: lost.messages, bytes: lost.bytes, kind: "file broken" },
  );
}

/** More recordings come at once than files may be open. */
export function tellTurns(log: Log, most: number): void {
  const text = `More than ${plural(most, "recording")} are saved at the same time, for which ` +
    "this program has too few descriptors: their files are closed and opened again in turns, which " +
    "costs time but no message; a higher ulimit -n, where this program may read it, lets up to 4,096 " +
    "files be open (16,384 and two for each of them)";
  log.write("warn", text, { most, kind: "files take turns" });
}

/** The disk takes longer than is promised to have what was written. */
export function tellSlowSync(log: Log, path: string, files: number, tookMs: number): void {
  const seconds = (tookMs / 1000).toFixed(1);
  const text = `What is saved to ${path} is on the disk later than after 500 ms: to sync ` +
    `${plural(files, "open file")} takes ${seconds} s, and a crash may take as much. ` +
    "A faster disk or fewer files at once help (one file for several recordings, without " +
    "{recording_id}); with --sync never (option sync) the system decides, and nothing waits";
  log.write("warn", text, { path, files, tookMs: Math.round(tookMs), kind: "slow sync" });
}
