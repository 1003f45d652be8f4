/**
 * Turns arguments into options, strictly: what is not understood is refused before anything is
 * touched.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { LOG_LEVELS, type LogLevel } from "../../base/log.ts";
import { ArgReader, oneOf, parsePort, UsageError } from "./arg_reader.ts";
import { closest } from "../../base/closest.ts";
import { checkNats, type FromArgs, fromArgs } from "./from_args.ts";
import { checkForwardsElsewhere, type ForwardArgs, forwardOptions } from "./forward_args.ts";
import { type LimitArgs, limitArgs } from "./limit_table.ts";
import type { CliOption } from "./option.ts";
import { environmentSettings, variableOf } from "./environment.ts";
import { OPTION_TABLE, SETTABLE } from "./option_table.ts";
import { type SaveOptions, saveOptions } from "./save_args.ts";
import type { Settings } from "./setting.ts";
import { shownArgument } from "./shown.ts";
import { parseDuration } from "../terminal/units.ts";
import { type ViewerArgs, viewerArgs } from "./viewer_args.ts";

/** What the command line asks for. */
export type CliCommand =
  | { readonly command: "help" }
  | { readonly command: "version"; readonly json: boolean }
  | { readonly command: "host"; readonly options: HostOptions };

/** Options of hosting a server. */
export interface HostOptions {
  readonly bind: string;
  readonly port: number;
  /** How recordings are saved; absent if they are not. */
  readonly save?: SaveOptions;
  /** Where recordings are forwarded to; absent if they are not. */
  readonly forward?: ForwardArgs;
  /** How viewers are served; absent if they are not. */
  readonly viewers?: ViewerArgs;
  /** What is received from NATS; absent if nothing is. */
  readonly from?: FromArgs;
  /** Latency in seconds above which frames are dropped; infinite if none may be. */
  readonly maxLatencySec: number;
  /** How long clients may stay after SIGUSR2, in seconds; may be infinite. */
  readonly drainSec: number;
  /** Limits that are given. */
  readonly limits: LimitArgs;
  readonly quiet: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: "text" | "json";
}

const OPTIONS: readonly CliOption[] = OPTION_TABLE;
const FLAGS = OPTIONS.filter((o) => o.value === undefined).map((o) => o.name);
const VALUED = OPTIONS.filter((o) => o.value !== undefined).map((o) => o.name);
const SWITCHES = SETTABLE.filter((o) => o.value === undefined).map((o) => o.name);

/** Where options are set besides the command line. */
export interface OtherSources {
  /** Reads a variable of the environment. */
  readonly env?: (name: string) => string | undefined;
  /** What the configuration file of `--config` holds. */
  readonly file?: Settings;
}

/**
 * Reads arguments.
 *
 * @param args those after the program's name
 * @param sources for options that the command line does not set: the environment comes before the
 * file
 * @throws {UsageError}
 */
export function parseCliArgs(args: readonly string[], sources: OtherSources = {}): CliCommand {
  const parsed = parseFlags(args);
  // Asked first, for a user who asks for help may have mistyped other options.
  const questions = new ArgReader(parsed);
  if (questions.flag("help")) return { command: "help" };
  if (questions.flag("version")) {
    return { command: "version", json: questions.flag("json") };
  }
  const files = filesOf(parsed);
  return { command: "host", options: hostOptions(argReader(parsed, sources), files) };
}

/**
 * The path of the configuration file, if arguments or the environment name one.
 *
 * @throws {UsageError} if the arguments are wrong
 */
export function configPath(
  args: readonly string[],
  env: (name: string) => string | undefined,
): string | undefined {
  const parsed = new ArgReader(parseFlags(args));
  if (parsed.flag("help") || parsed.flag("version")) return undefined;
  return parsed.text("config") ?? (env(variableOf("config")) || undefined);
}

/**
 * Reads where each option is set.
 *
 * @throws {UsageError} if an argument or a variable is wrong
 */
export function settingsOf(args: readonly string[], sources: OtherSources): ArgReader {
  const parsed = parseFlags(args);
  const [file] = filesOf(parsed);
  if (file !== undefined) throw unknownArgument(file);
  return argReader(parsed, sources);
}

/** Arguments that are not options. */
function filesOf(parsed: Readonly<Record<string, unknown>>): readonly string[] {
  return parsed["_"] as string[];
}

function argReader(
  parsed: Readonly<Record<string, unknown>>,
  { env = () => undefined, file = new Map() }: OtherSources,
): ArgReader {
  return new ArgReader(parsed, [environmentSettings(SETTABLE, env), file]);
}

/** Takes a lone dash for standard input, which `parseArgs` would not give as an argument. */
function withStandardInput(args: readonly string[]): string[] {
  const at = args.findIndex((arg, i) => arg === "--config" && args[i + 1] === "-");
  return at < 0 ? [...args] : [...args.slice(0, at), "--config=-", ...args.slice(at + 2)];
}

/** What the arguments say, each option at most once. */
function parseFlags(given: readonly string[]): Record<string, unknown> {
  const args = withStandardInput(given);
  const unknown: string[] = [];
  const files: string[] = [];
  const parsed: Record<string, unknown> = parseArgs(args, {
    // `--json` goes with `--version`.
    boolean: [...FLAGS, "json"],
    string: VALUED,
    collect: [...FLAGS, ...VALUED],
    // The command line can switch off what the environment or a file switches on.
    negatable: SWITCHES,
    alias: { help: "h", version: "V" },
    unknown: (arg) => {
      (arg.startsWith("-") ? unknown : files).push(arg);
      return false;
    },
  });
  if (new ArgReader(parsed).flag("help")) return parsed;
  for (const { name, value, example, secret, several = false } of OPTIONS) {
    const given = parsed[name] as unknown[];
    if (secret && given.length > 0) throw secretArgument(name);
    if (URLS.includes(name) && given.some(hasPassword)) throw secretArgument(name);
    if (given.length > 1 && !several) {
      throw new UsageError(`--${name} is given twice: leave one out`);
    }
    if (value !== undefined && given.includes("")) {
      throw new UsageError(
        `--${name} needs a value, such as --${name} ${example} ` +
          `(one that starts with a dash: --${name}=VALUE)`,
      );
    }
    const isValued = args.some((arg) => arg.startsWith(`--${name}=`)) ||
      given[0] === false && !args.includes(`--no-${name}`);
    if (value === undefined && isValued) {
      throw new UsageError(`--${name} takes no value: write --${name} alone`);
    }
  }
  if (unknown[0] !== undefined) throw unknownArgument(unknown[0]);
  const isAnswer = new ArgReader(parsed).flag("version");
  if (parsed["json"] === true && !isAnswer) throw unknownArgument("--json");
  // Behind `--` also what begins with a dash is a file.
  return { ...parsed, _: [...files, ...(parsed["_"] as unknown[]).map(String)] };
}

/**
 * Reads the options of hosting.
 *
 * @param args the options
 * @param files arguments that are not options
 * @throws {UsageError}
 */
export function hostOptions(args: ArgReader, files: readonly string[] = []): HostOptions {
  const { save, forward } = forwardOptions(args, saveOptions(args));
  const viewers = viewerArgs(args, files);
  if (viewers === undefined && files[0] !== undefined) throw unknownArgument(files[0]);
  const from = fromArgs(args);
  checkNats(args, from, forward);
  const bind = args.read("bind", parseBind) ?? "127.0.0.1";
  const port = args.read("port", parsePort) ?? 9876;
  checkForwardsElsewhere(args, forward, { bind, port });
  return {
    bind,
    port,
    ...(save === undefined ? {} : { save }),
    ...(forward === undefined ? {} : { forward }),
    ...(viewers === undefined ? {} : { viewers }),
    ...(from === undefined ? {} : { from }),
    maxLatencySec: args.read("drop-at-latency", parseDuration) ?? Infinity,
    drainSec: args.read("drain", parseDrain) ?? 600,
    limits: limitArgs(args),
    quiet: args.flag("quiet"),
    logLevel: args.read("log-level", oneOf(LOG_LEVELS)) ?? "info",
    logFormat: args.read("log-format", oneOf(["text", "json"])) ?? "text",
  };
}

function parseDrain(text: string): number {
  return text === "never" ? Infinity : parseDuration(text);
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

/** Options whose addresses may hold user and password. */
const URLS: readonly string[] = ["forward", "from"];

/**
 * Whether one of the URLs has a password; a value may have several URLs, separated by spaces. A password
 * may have spaces and slashes itself, and folders of S3 an @.
 */
function hasPassword(urls: unknown): boolean {
  return String(urls).split(/\s(?=[a-z][a-z0-9+.-]*:\/\/)/i).some((url) =>
    url.includes("?") || (/^s3:/i.test(url) ? /^s3:\/\/[^/]*@/i : /@/).test(url)
  );
}

/** The error for a secret on the command line, which everybody on the machine can see. */
function secretArgument(name: string): UsageError {
  return new UsageError(
    `--${name} would show a secret to all who list processes: ` +
      (OPTIONS.some((o) => o.name === `${name}-file`)
        ? `write it into a file and say --${name}-file FILE, or set ${variableOf(name)}`
        : `set ${variableOf(name)}, or write it into the file of --config`),
  );
}

function unknownArgument(arg: string): UsageError {
  const shown = shownArgument(arg, 60);
  if (!arg.startsWith("-")) {
    const fix = arg.includes("://")
      ? "to send there what is saved: --forward; to receive from there: --from"
      : /\.(rrd|rbl)$|[/\\]/.test(arg)
      ? `to write to it: --save ${shown}; to show it: add --serve-web`
      : "see --help";
    return new UsageError(`unexpected argument ${shown}; ${fix}`);
  }
  const name = /^-+(?:no-)?([^=]*)/.exec(arg)![1]!.toLowerCase().replaceAll("_", "-");
  const meant = closest(name, OPTIONS.map((o) => o.name));
  const fix = meant === undefined ? "see --help" : `did you mean --${meant}?`;
  return new UsageError(`unknown option ${shown.replace(/=.*/s, "")}; ${fix}`);
}
