/**
 * The options that bound what clients and viewers can do, made of the table of limits.
 *
 * @module
 */
import { type Limit, LIMITS } from "../../base/limit_table.ts";
import { allowList } from "../../server/allow_list.ts";
import type { ServeOptions } from "../../server/options.ts";
import { durationText, parseDuration, parseSize, sizeText } from "../terminal/units.ts";
import { type ArgReader, oneOf, parseCount } from "./arg_reader.ts";
import type { CliOption } from "./option.ts";

/** The units of limits: how the help names their values, and how these are read and written. */
const UNITS = {
  bytes: { value: "SIZE", parse: parseSize, write: sizeText },
  count: { value: "COUNT", parse: parseCount, write: String },
  seconds: { value: "TIME", parse: parseDuration, write: durationText },
} as const;

/** Makes the options that set some limits. */
export function limitOptions(limits: Readonly<Record<string, Limit>>): CliOption[] {
  return Object.values(limits).map(({ flag, unit, default: preset, example = preset, help }) => {
    const { value, write } = UNITS[unit];
    const shown = preset === Infinity ? {} : { default: write(preset) };
    return { name: flag, value, example: write(example), ...shown, help };
  });
}

/**
 * Reads a limit, if it is given.
 *
 * @throws {UsageError}
 */
export function readLimit(args: ArgReader, { flag, unit }: Limit): number | undefined {
  return args.read<number>(flag, UNITS[unit].parse);
}

/** Options of limits, in the order of the help text. */
export const LIMIT_OPTIONS: readonly CliOption[] = [
  {
    name: "drop-at-latency",
    value: "TIME",
    example: "200ms",
    help: "Drop frames once messages wait longer (200ms, 10s, 1m) [never]",
  },
  ...limitOptions(LIMITS),
  {
    name: "on-bad-arrow",
    value: "WHAT",
    example: "drop",
    default: "save",
    help: "Corrupt Arrow data: save (never shown live), drop, close",
  },
];

/** Options of `serve` that are passed on only if they are given. */
export type LimitArgs = Pick<ServeOptions, keyof typeof LIMITS | "allow" | "onBadArrow">;

/**
 * Reads the limits that are given.
 *
 * @throws {UsageError}
 */
export function limitArgs(args: ArgReader): LimitArgs {
  const limits: Record<string, unknown> = {
    allow: args.read("allow", parseAllow),
    onBadArrow: args.read("on-bad-arrow", oneOf(["save", "drop", "close"])),
  };
  for (const [option, limit] of Object.entries(LIMITS)) limits[option] = readLimit(args, limit);
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}

function parseAllow(text: string): readonly string[] {
  const entries = text.split(",").map((entry) => entry.trim());
  allowList(entries);
  return entries;
}
