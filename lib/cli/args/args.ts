/**
 * Arguments → options, strictly: what is not understood is refused before anything is touched.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { LOG_LEVELS, type LogLevel } from "../../base/log.ts";
import { ArgReader, oneOf, parsePort, UsageError } from "./arg_reader.ts";
import { closest } from "./closest.ts";
import { escapeText } from "../../base/escape.ts";
import { type LimitArgs, limitArgs } from "./limit_table.ts";
import type { CliOption } from "./option.ts";
import { OPTION_TABLE } from "./option_table.ts";
import { type SaveOptions, saveOptions } from "./save_args.ts";
import { parseDuration } from "../terminal/units.ts";
import { type ViewerArgs, viewerArgs } from "./viewer_args.ts";

/** What the command line asks for. */
export type CliCommand =
  | { readonly command: "help" }
  | { readonly command: "version" }
  | { readonly command: "host"; readonly options: HostOptions };

/** How to host. */
export interface HostOptions {
  readonly bind: string;
  readonly port: number;
  /** Absent where nothing is kept. */
  readonly save?: SaveOptions;
  /** Absent where nothing is shown. */
  readonly viewers?: ViewerArgs;
  /** Seconds; infinite where nothing may be dropped. */
  readonly maxLatencySec: number;
  /** Those that are given. */
  readonly limits: LimitArgs;
  readonly quiet: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: "text" | "json";
}

const OPTIONS: readonly CliOption[] = OPTION_TABLE;
const FLAGS = OPTIONS.filter((o) => o.value === undefined).map((o) => o.name);
const VALUED = OPTIONS.filter((o) => o.value !== undefined).map((o) => o.name);

/**
 * Reads arguments.
 *
 * @param args those after the program's name
 * @param env reads a variable of the environment
 * @throws {UsageError}
 */
export function parseCliArgs(
  args: readonly string[],
  env: (name: string) => string | undefined = () => undefined,
): CliCommand {
  const unknown: string[] = [];
  const parsed: Record<string, unknown> = parseArgs([...args], {
    boolean: FLAGS,
    string: VALUED,
    collect: [...FLAGS, ...VALUED],
    alias: { help: "h", version: "V" },
    unknown: (arg) => {
      unknown.push(arg);
      return false;
    },
  });
  const reader = new ArgReader(parsed, env);
  if (reader.flag("help")) return { command: "help" };
  for (const { name, value, example } of OPTIONS) {
    const given = parsed[name] as unknown[];
    if (given.length > 1) throw new UsageError(`--${name} is given twice: leave one out`);
    if (value !== undefined && given[0] === "") {
      throw new UsageError(
        `--${name} needs a value, such as --${name} ${example} ` +
          `(one that starts with a dash: --${name}=VALUE)`,
      );
    }
    const valued = args.find((arg) => value === undefined && arg.startsWith(`--${name}=`));
    if (valued !== undefined || (value === undefined && given[0] === false)) {
      throw new UsageError(`--${name} takes no value: write --${name} alone`);
    }
  }
  if (unknown[0] !== undefined) throw unknownArgument(unknown[0]);
  const rest = (parsed["_"] as unknown[])[0];
  if (rest !== undefined) throw unknownArgument(String(rest));
  if (reader.flag("version")) return { command: "version" };
  return { command: "host", options: hostOptions(reader) };
}

function hostOptions(args: ArgReader): HostOptions {
  const save = saveOptions(args);
  const viewers = viewerArgs(args);
  return {
    bind: args.read("bind", parseBind) ?? "127.0.0.1",
    port: args.read("port", parsePort) ?? 9876,
    ...(save === undefined ? {} : { save }),
    ...(viewers === undefined ? {} : { viewers }),
    maxLatencySec: args.read("drop-at-latency", parseDuration) ?? Infinity,
    limits: limitArgs(args),
    quiet: args.flag("quiet"),
    logLevel: args.read("log-level", oneOf(LOG_LEVELS)) ?? "info",
    logFormat: args.read("log-format", oneOf(["text", "json"])) ?? "text",
  };
}

function parseBind(text: string): string {
  const [, host, port] = /^\[?([^[\]]+?)\]?:(\d+)$/.exec(text) ?? [];
  // One colon, or brackets: host:port. An IPv6 address alone has several.
  if (port !== undefined && (text.startsWith("[") || !host!.includes(":"))) {
    throw new RangeError(`expected an address alone; write --bind ${host} --port ${port}`);
  }
  const address = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  if (/^[\p{L}\p{N}._:%-]+$/u.test(address)) return address;
  throw new RangeError("expected an address of this machine, such as 127.0.0.1, ::1 or 0.0.0.0");
}

function unknownArgument(arg: string): UsageError {
  const shown = escapeText(arg, 60);
  if (!arg.startsWith("-")) {
    const fix = arg.endsWith(".rrd") ? `to write to it: --save ${shown}` : "see --help";
    return new UsageError(`unexpected argument ${shown}; ${fix}`);
  }
  const name = /^-+(?:no-)?([^=]*)/.exec(arg)![1]!.toLowerCase().replaceAll("_", "-");
  const meant = closest(name, OPTIONS.map((o) => o.name));
  const fix = meant === undefined ? "see --help" : `did you mean --${meant}?`;
  return new UsageError(`unknown option ${shown.replace(/=.*/s, "")}; ${fix}`);
}
