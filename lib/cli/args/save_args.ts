/**
 * The options of `--save`, and which go together.
 *
 * @module
 */
import { hasSerialNames, parseSavePattern } from "../../sinks/file/save_pattern.ts";
import type { RrdFileSinkOptions } from "../../sinks/file/sink_options.ts";
import { type ArgReader, oneOf, parseCount, UsageError } from "./arg_reader.ts";
import { parseDuration, parseSize } from "../terminal/units.ts";

/** How recordings are saved. */
export interface SaveOptions extends
  Required<
    Pick<
      RrdFileSinkOptions,
      | "path"
      | "force"
      | "sync"
      | "rotation"
      | "keep"
      | "compress"
      | "rrdFormat"
      | "chunkIndex"
    >
  > {
  readonly onError: "retry" | "stop";
  /** With less room the disk is not ready, in bytes. */
  readonly readyFreeBytes: number;
}

/** Options that need `--save`. */
const DEPENDENT = [
  "sync",
  "rotate-size",
  "rotate-every",
  "keep",
  "keep-size",
  "compress",
  "rrd-format",
  "chunk-index",
  "on-save-error",
  "ready-free",
] as const;

/**
 * Reads the options of `--save`.
 *
 * @throws {UsageError}
 */
export function saveOptions(args: ArgReader): SaveOptions | undefined {
  const path = args.text("save");
  if (path === undefined) {
    const given = args.given(["force", ...DEPENDENT]);
    if (given === "force") {
      throw new UsageError(`${args.where(given)} replaces the file of --save: add --save FILE`);
    }
    if (given !== undefined) {
      throw new UsageError(`${args.where(given)} is about --save: add --save PATTERN`);
    }
    return undefined;
  }
  const force = args.flag("force");
  const pattern = args.read("save", parseSavePattern)!;
  const { placeholders } = pattern;
  if (force && placeholders.size > 0) {
    throw new UsageError(
      `${args.where("force")} replaces one file, --save with braces makes many: leave --force out`,
    );
  }
  const maxBytes = args.read("rotate-size", parseSize);
  const maxAgeSec = args.read("rotate-every", parseDuration);
  if ((maxBytes ?? maxAgeSec) !== undefined && !hasSerialNames(pattern)) {
    const option = args.where(maxBytes === undefined ? "rotate-every" : "rotate-size");
    throw new UsageError(`${option} makes several files: put {part}, {date} or {time} into --save`);
  }
  const files = args.read("keep", parseCount);
  const bytes = args.read("keep-size", parseSize);
  if ((files ?? bytes) !== undefined && placeholders.size === 0) {
    const option = args.where(files === undefined ? "keep-size" : "keep");
    throw new UsageError(
      `${option} is about several files: put {part}, {date} or {time} into --save`,
    );
  }
  return {
    path,
    force,
    sync: args.read("sync", oneOf(["never", "interval", "always"])) ?? "interval",
    rotation: {
      ...(maxBytes === undefined ? {} : { maxBytes }),
      ...(maxAgeSec === undefined ? {} : { maxAgeSec }),
    },
    keep: {
      ...(files === undefined ? {} : { files }),
      ...(bytes === undefined ? {} : { bytes }),
    },
    compress: args.read("compress", oneOf(["off", "lz4"])) ?? "off",
    rrdFormat: args.read("rrd-format", oneOf(["as-sent", "current"])) ?? "as-sent",
    chunkIndex: args.read("chunk-index", oneOf(["on", "off"])) !== "off",
    onError: args.read("on-save-error", oneOf(["retry", "stop"])) ?? "retry",
    readyFreeBytes: args.read("ready-free", parseSize) ?? 64 * 2 ** 20,
  };
}
