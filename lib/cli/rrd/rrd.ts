/**
 * The `rrd` commands, from arguments to exit code.
 *
 * @module
 */
import { loadFileAdapter, loadProcessAdapter } from "../../adapters/load.ts";
import { NotAnRrd, reason, RerelayError } from "../../base/errors.ts";
import { RrdDamage } from "../../encoding/rrd/part.ts";
import { UsageError } from "../args/arg_reader.ts";
import { hideArguments } from "../args/hide_arguments.ts";
import { ClosedHashes } from "../../sinks/file/parts/closed_hashes.ts";
import { escapeText } from "../../base/escape.ts";
import { EXIT } from "../exit_codes.ts";
import type { CliProcess } from "../process.ts";
import { compare } from "./compare.ts";
import { filter } from "./filter.ts";
import { RRD_HELP } from "./help.ts";
import { index } from "./index.ts";
import { InputError, isStdinTerminal } from "./input.ts";
import type { RrdContext } from "./context.ts";
import { merge } from "./merge.ts";
import { migrate } from "./migrate.ts";
import { parseRrdArgs, type RrdCommandName, type RrdOptions, takesFlag } from "./options.ts";
import { print } from "./print.ts";
import { progress } from "./progress.ts";
import { recover } from "./recover.ts";
import { replay } from "./replay.ts";
import { route } from "./route.ts";
import { split } from "./split.ts";
import { stats } from "./stats.ts";
import { Unfinished } from "./unfinished.ts";
import { verify } from "./verify.ts";

/** Exit code if the reader of our output has left: 128 + SIGPIPE, as shells report it. */
const READER_LEFT = 141;

type Command = (options: RrdOptions, context: RrdContext) => Promise<number>;

const RUN: Readonly<Record<RrdCommandName, Command>> = {
  stats,
  print,
  verify,
  compare,
  index,
  recover,
  merge,
  migrate,
  filter,
  route,
  split,
  replay,
};

/**
 * Runs an `rrd` command.
 *
 * @param args those behind the word `rrd`
 * @param given streams
 * @returns the exit code
 */
export async function rrd(args: readonly string[], given: CliProcess): Promise<number> {
  const process = hideArguments(given, args);
  const bar = progress(process, args[0] === "print");
  const unfinished = new Unfinished(process);
  try {
    const options = parseRrdArgs(args);
    if (options === "help") {
      process.stdout(RRD_HELP);
      return EXIT.ok;
    }
    if (options.files[0] === "-" && !args.includes("-") && isStdinTerminal()) {
      throw new UsageError(`rrd ${options.command} needs a file; - is standard input`);
    }
    const files = await loadFileAdapter();
    const processes = await loadProcessAdapter();
    const closed = new ClosedHashes(files);
    const closedFiles = (path: string) => closed.of(path);
    const context = { process, files, processes, progress: bar, unfinished, closedFiles };
    return await RUN[options.command](options, context);
  } catch (error) {
    bar.done();
    if (!(error instanceof UsageError || error instanceof RerelayError || isSystemError(error))) {
      throw error;
    }
    // The reader of our output has enough, as `head` does.
    if ((error as { code?: string }).code === "EPIPE") return READER_LEFT;
    process.stderr(`error: ${escapeText(reason(error))}${hint(error, args[0])}\n`);
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  } finally {
    bar.done();
    await unfinished.abandon();
  }
}

/** A hint how to read over damage, or what does that if this command can't. */
function hint(error: unknown, command: string | undefined): string {
  const isDamage = error instanceof InputError && error.cause instanceof RrdDamage;
  if (!isDamage || error.cause.cause instanceof NotAnRrd || command === "recover") return "";
  const takes = command !== undefined && takesFlag(command, "continue-on-error");
  return takes ? "; --continue-on-error reads over damage" : "; rrd recover writes what is whole";
}

/**
 * Whether an error is the system's (no such file, no permission, connection refused), and no
 * mistake of this program.
 */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && ("code" in error || error.name in SYSTEM_ERRORS);
}

/** Names of Deno's errors, which may have no code. */
const SYSTEM_ERRORS = { NotFound: 1, PermissionDenied: 1, NotADirectory: 1, IsADirectory: 1 };
