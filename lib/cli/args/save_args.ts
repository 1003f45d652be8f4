/**
 * The options of `--save`, and which go together.
 *
 * @module
 */
import { parseSavePattern } from "../../sinks/file/save_pattern.ts";
import type { RrdFileSinkOptions } from "../../sinks/file/rrd_file.ts";
import { parseDuration, parseSize } from "../terminal/units.ts";

/** How recordings are kept. */
export interface SaveOptions extends
  Required<
    Pick<RrdFileSinkOptions, "path" | "force" | "sync" | "rotation" | "keep" | "compress">
  > {
  readonly onError: "retry" | "stop";
}

/** Reads the value of an option; `undefined` where it is not given. */
export type OptionReader = <T>(name: string, parse: (text: string) => T) => T | undefined;

/** Options that say nothing without `--save`. */
const DEPENDENT = [
  "sync",
  "rotate-size",
  "rotate-every",
  "keep",
  "keep-size",
  "compress",
  "on-save-error",
] as const;

/**
 * Reads the options of `--save`.
 *
 * @param read reads one option
 * @param force whether `--force` is given
 * @param oneOf parses a word
 * @param wrong makes an error of a text
 * @throws what `wrong` makes
 */
export function saveOptions(
  read: OptionReader,
  force: boolean,
  oneOf: <T extends string>(words: readonly T[]) => (text: string) => T,
  wrong: (text: string) => Error,
): SaveOptions | undefined {
  const path = read("save", (text) => text);
  if (path === undefined) {
    if (force) throw wrong("--force replaces the file of --save: add --save FILE");
    const given = DEPENDENT.find((name) => read(name, (text) => text) !== undefined);
    if (given !== undefined) throw wrong(`--${given} is about --save: add --save PATTERN`);
    return undefined;
  }
  const { placeholders } = read("save", parseSavePattern)!;
  if (force && placeholders.size > 0) {
    throw wrong("--force replaces one file, --save with braces makes many: leave --force out");
  }
  const maxBytes = read("rotate-size", parseSize);
  const maxAgeSec = read("rotate-every", parseDuration);
  const tells = ["part", "date", "time"] as const;
  if ((maxBytes ?? maxAgeSec) !== undefined && !tells.some((word) => placeholders.has(word))) {
    const option = maxBytes === undefined ? "--rotate-every" : "--rotate-size";
    throw wrong(`${option} makes several files: put {part}, {date} or {time} into --save`);
  }
  const files = read("keep", parseCount);
  const bytes = read("keep-size", parseSize);
  if ((files ?? bytes) !== undefined && placeholders.size === 0) {
    const option = files === undefined ? "--keep-size" : "--keep";
    throw wrong(`${option} is about several files: put {part}, {date} or {time} into --save`);
  }
  return {
    path,
    force,
    sync: read("sync", oneOf(["never", "interval", "always"])) ?? "interval",
    rotation: {
      ...(maxBytes === undefined ? {} : { maxBytes }),
      ...(maxAgeSec === undefined ? {} : { maxAgeSec }),
    },
    keep: {
      ...(files === undefined ? {} : { files }),
      ...(bytes === undefined ? {} : { bytes }),
    },
    compress: read("compress", oneOf(["off", "lz4"])) ?? "off",
    onError: read("on-save-error", oneOf(["retry", "stop"])) ?? "retry",
  };
}

/** A whole number above 0. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d{1,9}$/.test(text) && count > 0) return count;
  throw new RangeError("expected a number above 0, such as 20");
}
