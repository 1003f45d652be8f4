/**
 * Arguments of the `rrd` commands, refused before anything is touched.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { ArgReader, UsageError } from "../args/arg_reader.ts";
import { shownArgument } from "../args/shown.ts";
import { closest } from "../../base/closest.ts";
import { reason } from "../../base/errors.ts";
import { MAX_MESSAGE_BYTES } from "../../encoding/limits.ts";
import { parseDuration, parseSize } from "../terminal/units.ts";
import { parseTimeRange, type TimeRange } from "./time_range.ts";
import { type ReplayTarget, replayTargets } from "./targets.ts";

/** The options of each command. */
const COMMANDS = {
  stats: { flags: ["json", "verbose", "strict"], valued: [], max: Infinity },
  print: { flags: ["json", "verbose", "strict", "continue-on-error"], valued: [], max: Infinity },
  verify: { flags: ["json", "strict"], valued: [], max: Infinity },
  compare: { flags: ["json", "strict"], valued: ["ignore-timeline"], max: 2 },
  index: { flags: ["json", "strict"], valued: [], max: Infinity },
  recover: { flags: ["json", "force", "dry-run"], valued: ["output"], max: 1 },
  merge: {
    flags: ["json", "force", "strict", "continue-on-error"],
    valued: ["output"],
    max: Infinity,
  },
  migrate: {
    flags: ["json", "force", "strict", "continue-on-error"],
    valued: ["output"],
    max: Infinity,
  },
  filter: {
    flags: ["json", "force", "strict", "continue-on-error"],
    valued: [
      ...["output", "drop-entity", "drop-timeline", "recording-id", "application-id"],
      "time-range",
    ],
    max: Infinity,
  },
  route: {
    flags: ["json", "force", "strict", "continue-on-error"],
    valued: ["output", "recording-id", "application-id"],
    max: Infinity,
  },
  split: { flags: ["json", "force", "strict", "continue-on-error"], valued: ["output"], max: 1 },
  replay: {
    flags: ["json", "strict", "continue-on-error"],
    valued: ["to", "speed", "max-gap", "timeout"],
    max: Infinity,
  },
} as const;

/** One of the commands. */
export type RrdCommandName = keyof typeof COMMANDS;

/** Options of an `rrd` command; those it does not take are absent or false. */
export interface RrdOptions {
  readonly command: RrdCommandName;
  /** Paths, `-` for standard input. */
  readonly files: readonly string[];
  readonly json: boolean;
  readonly verbose: boolean;
  readonly force: boolean;
  /** Whether to read over damage. */
  readonly continueOnError: boolean;
  /** Whether to say what would be written, and write nothing. */
  readonly dryRun: boolean;
  /** Whether a missing end marker is an error. */
  readonly strict: boolean;
  /** `-` for standard output. */
  readonly output?: string;
  /** Timelines that are not compared. */
  readonly ignoreTimelines: ReadonlySet<string>;
  /** Paths of entities that are left out, each beginning with a slash. */
  readonly dropEntities: ReadonlySet<string>;
  /** Timelines that are left out of all chunks. */
  readonly dropTimelines: ReadonlySet<string>;
  /** Which chunks stay, of those that have these timelines. */
  readonly timeRanges: readonly TimeRange[];
  /** Id of the recording that stays; for `route`, the new id. */
  readonly recordingId?: string;
  /** Application whose recordings and blueprints stay; for `route`, the new one. */
  readonly applicationId?: string;
  /** The servers to send to: one, or one of each kind. */
  readonly to: readonly ReplayTarget[];
  /** Speed, in times as fast as it was logged; infinite for as fast as possible. */
  readonly speed: number;
  /** The longest pause in the log that is waited for, in seconds. */
  readonly maxGapSec: number;
  readonly timeoutSec: number;
  /** Limit of a message in bytes. */
  readonly maxMessageBytes: number;
}

const ALIAS: Readonly<Record<string, string>> = {
  v: "verbose",
  o: "output",
  f: "force",
  h: "help",
};

/** Whether a command has a flag. */
export function takesFlag(command: string, flag: string): boolean {
  return Object.hasOwn(COMMANDS, command) &&
    (COMMANDS[command as RrdCommandName].flags as readonly string[]).includes(flag);
}

/**
 * Reads the arguments behind the word `rrd`.
 *
 * @returns `"help"` if that is asked for
 * @throws {UsageError}
 */
export function parseRrdArgs(given: readonly string[]): RrdOptions | "help" {
  const [name, ...rest] = given;
  if (name === undefined || name === "help" || name === "-h" || name === "--help") return "help";
  if (!Object.hasOwn(COMMANDS, name)) throw new UsageError(unknownCommand(name));
  const command = name as RrdCommandName;
  const { flags, max } = COMMANDS[command];
  const valued = valuedOf(command);
  const unknown: string[] = [];
  const parsed = parseArgs(rest.map((arg) => arg === "-" ? "./-" : arg), {
    boolean: [...flags, "help"],
    string: [...valued, "_"],
    collect: valued,
    // Only letters that the command knows, for others would take the next argument as their value.
    alias: Object.fromEntries(
      Object.entries(ALIAS).filter(([, name]) => [...flags, ...valued, "help"].includes(name)),
    ),
    unknown: (arg) => {
      if (arg.startsWith("-")) unknown.push(arg);
    },
  });
  const args = new ArgReader(parsed);
  if (args.flag("help")) return "help";
  checkFlags(command, rest);
  checkValues(valued, parsed);
  if (unknown[0] !== undefined) throw new UsageError(unknownOption(command, unknown[0]));
  const files = parsed._.map(String).map(stdio);
  if (files.length > max) {
    const several = command === "recover" ? "; merge --continue-on-error takes several" : "";
    const count = max === 1 ? "one file" : `${max} files`;
    throw new UsageError(
      `rrd ${command} takes ${count}: leave out ${shownArgument(files[max]!, 60)}${several}`,
    );
  }
  // Both files may be read a second time.
  if (command === "compare" && (files.length < 2 || files.includes("-"))) {
    throw new UsageError("rrd compare needs two files, neither of them standard input");
  }
  const output = args.text("output");
  if (output === undefined && command === "recover" && !args.flag("dry-run")) {
    throw new UsageError("rrd recover needs a file to write to: add -o OUT.rrd, or --dry-run");
  }
  if (files.filter((file) => file === "-").length > 1) {
    throw new UsageError("standard input (-) can be read once only");
  }
  if (args.flag("strict") && args.flag("continue-on-error")) {
    throw new UsageError("--strict and --continue-on-error contradict each other: leave one out");
  }
  return {
    command,
    files: files.length === 0 ? ["-"] : files,
    json: args.flag("json"),
    verbose: args.flag("verbose"),
    force: args.flag("force"),
    continueOnError: args.flag("continue-on-error"),
    dryRun: args.flag("dry-run"),
    strict: args.flag("strict"),
    ...(output === undefined ? {} : { output: stdio(output) }),
    ignoreTimelines: new Set(parsed["ignore-timeline"] as string[] | undefined),
    ...filterOptions(args, parsed),
    to: replayTargets(parsed.to as string[] | undefined ?? []),
    speed: args.read("speed", parseSpeed) ?? Infinity,
    maxGapSec: args.read("max-gap", parseDuration) ?? 10,
    maxMessageBytes: args.read("max-message", parseSize) ?? maxMessage(command, files),
    timeoutSec: args.read("timeout", parseDuration) ?? 10,
  };
}

function filterOptions(args: ArgReader, parsed: Record<string, unknown>) {
  const many = (name: string) => parsed[name] as string[] | undefined ?? [];
  const [recordingId, applicationId] = [args.text("recording-id"), args.text("application-id")];
  return {
    dropEntities: new Set(many("drop-entity").map((path) => path.replace(/^\/?/, "/"))),
    dropTimelines: new Set(many("drop-timeline")),
    timeRanges: many("time-range").map(timeRange),
    ...(recordingId === undefined ? {} : { recordingId }),
    ...(applicationId === undefined ? {} : { applicationId }),
  };
}

function timeRange(text: string): TimeRange {
  try {
    return parseTimeRange(text);
  } catch (error) {
    throw new UsageError(`--time-range ${shownArgument(text, 60)}: ${reason(error)}`);
  }
}

/** Refuses what the parser would take for a flag that is off: `--json=no`, `--no-json`. */
function checkFlags(command: RrdCommandName, args: readonly string[]): void {
  for (const arg of args) {
    if (arg === "--") return;
    const [, name, value] = /^--([^=]+)(=.*)?$/s.exec(arg) ?? [];
    if (name?.startsWith("no-")) throw new UsageError(unknownOption(command, arg));
    if (value !== undefined && (COMMANDS[command].flags as readonly string[]).includes(name!)) {
      throw new UsageError(`--${name} takes no value: write --${name} alone`);
    }
  }
}

/** Options that may be given several times. */
const REPEATED: readonly string[] = [
  ...["to", "ignore-timeline", "drop-entity", "drop-timeline", "time-range"],
];

/** Refuses values that are empty, or given twice where there can be but one. */
function checkValues(names: readonly string[], parsed: Record<string, unknown>): void {
  for (const name of names) {
    const [value, another] = parsed[name] as string[] | undefined ?? [];
    if (another !== undefined && !REPEATED.includes(name)) {
      throw new UsageError(`--${name} is given twice: leave one out`);
    }
    if (value === "") throw new UsageError(`--${name} needs a value`);
  }
}

/** Options that take a value; one is for all commands. */
function valuedOf(command: RrdCommandName): string[] {
  return [...COMMANDS[command].valued, "max-message"];
}

/** Takes a lone dash for standard input. */
function stdio(path: string): string {
  return path === "./-" ? "-" : path;
}

function parseSpeed(text: string): number {
  const factor = /^\d+(\.\d+)?x$/.test(text) ? Number(text.slice(0, -1)) : 0;
  if (text === "max") return Infinity;
  if (factor > 0) return factor;
  throw new RangeError("expected max, 1x, or such as 0.5x or 10x");
}

/**
 * The limit of a message: the length of the file if that is known, so that the limit costs no
 * message.
 */
function maxMessage(command: RrdCommandName, [file]: readonly string[]): number {
  const isBounded = command === "recover" && file !== undefined && file !== "-";
  return isBounded ? Infinity : MAX_MESSAGE_BYTES;
}

function unknownCommand(name: string): string {
  const meant = closest(name.toLowerCase(), Object.keys(COMMANDS));
  const fix = meant === undefined ? "see rrd --help" : `did you mean rrd ${meant}?`;
  return `unknown command rrd ${shownArgument(name, 60)}; ${fix}`;
}

function unknownOption(command: RrdCommandName, arg: string): string {
  const names = [...COMMANDS[command].flags, ...valuedOf(command)];
  const meant = closest(arg.replace(/^-+/, "").replace(/=.*/s, ""), names);
  const fix = meant === undefined ? "see rrd --help" : `did you mean --${meant}?`;
  return `rrd ${command} has no option ${shownArgument(arg.replace(/=.*/s, ""), 60)}; ${fix}`;
}
