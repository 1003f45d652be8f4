/**
 * `rerelay forward`: shows and resets how far recordings were forwarded, without starting a server.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { loadFileAdapter, loadProcessAdapter } from "../adapters/load.ts";
import { reason } from "../base/errors.ts";
import { LOSSES, type LossKind } from "../forward/cursor_line.ts";
import { type CursorStatus, cursorStatus, resetCursors } from "../forward/cursor_files.ts";
import { targetName } from "../forward/open_target.ts";
import { hideSecrets } from "../forward/url.ts";
import { lockSaving } from "../sinks/file/parts/save_lock.ts";
import { parseSavePattern, type SavePattern } from "../sinks/file/save_pattern.ts";
import { UsageError } from "./args/arg_reader.ts";
import { hideArguments } from "./args/hide_arguments.ts";
import { shownArgument } from "./args/shown.ts";
import { EXIT } from "./exit_codes.ts";
import type { CliProcess } from "./process.ts";
import { plural } from "../base/plural.ts";
import { formatBytes } from "./terminal/units.ts";

const HELP = `rerelay forward: how far recordings have travelled

Usage: rerelay forward status --save PATTERN [--json]
       rerelay forward reset --save PATTERN --to oldest|now [--forward URL]

  status   for each target of --forward what waits on the disk; may be asked while a server runs
  reset    --to oldest sends all again that is there, --to now leaves out what is there; only of
           the target URL where one is given, else of all. No server may be saving there

PATTERN is that of the server's --save.

Exit codes: 0, 1 if it could not be done, 2 for wrong arguments.
`;

/**
 * Runs `rerelay forward`.
 *
 * @param args those after `forward`
 * @param given streams
 * @returns the exit code
 */
export async function forward(args: readonly string[], given: CliProcess): Promise<number> {
  const process = hideArguments(given, args);
  try {
    process.stdout(await answer(args));
    return EXIT.ok;
  } catch (error) {
    process.stderr(`error: ${reason(error)}\n`);
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

async function answer(args: readonly string[]): Promise<string> {
  const unknown: string[] = [];
  const parsed = parseArgs([...args], {
    string: ["save", "to", "forward"],
    boolean: ["json", "help"],
    alias: { help: "h" },
    unknown: (arg, key) => key === undefined || (unknown.push(arg), false),
  });
  if (parsed["help"]) return HELP;
  const [command, ...rest] = parsed["_"] as string[];
  const wrong = unknown[0] ?? rest[0];
  if (wrong !== undefined) throw new UsageError(`unexpected ${shownArgument(String(wrong), 60)}`);
  if (command !== "status" && command !== "reset") {
    throw new UsageError("say what is wanted: rerelay forward status, or rerelay forward reset");
  }
  const { save, to, forward } = parsed as Record<string, string | undefined>;
  const isJson = parsed["json"] === true;
  if (!save) throw new UsageError("--save PATTERN says where the recordings are");
  // All arguments before the disk: a wrong one is told as such wherever the command runs.
  const pattern = parsePattern(save);
  if (command === "status") {
    if (to !== undefined || forward !== undefined) {
      throw new UsageError("--to and --forward are for rerelay forward reset: leave them out");
    }
    await checkFolder(pattern);
    return await status(pattern, isJson);
  }
  if (isJson) throw new UsageError("--json is for rerelay forward status: leave it out");
  if (to !== "oldest" && to !== "now") {
    throw new UsageError("--to oldest sends all again that is there, --to now leaves it out");
  }
  const target = forward === undefined ? undefined : nameOf(forward);
  await checkFolder(pattern);
  return await reset(pattern, to, target);
}

function parsePattern(text: string): SavePattern {
  try {
    return parseSavePattern(text);
  } catch (error) {
    throw new UsageError(`--save ${shownArgument(text, 60)}: ${reason(error)}`);
  }
}

/** @throws {Error} if there is no such folder, which is a mistake in `--save` in all likelihood */
async function checkFolder({ folder }: SavePattern): Promise<void> {
  if (folder === "" || await (await loadFileAdapter()).kind(folder) !== undefined) return;
  throw new Error(`there is no folder ${shownArgument(folder, 200)}: --save is to be the server's`);
}

async function status(pattern: SavePattern, isJson: boolean): Promise<string> {
  const all = await cursorStatus({ pattern, adapter: await loadFileAdapter() });
  if (isJson) return `${JSON.stringify(all, null, 2)}\n`;
  if (all.length === 0) return "nothing was ever forwarded from there\n";
  return all.map((one) => `${statusLine(one)}\n`).join("");
}

/** Says in a line what waits for a target, and what it never gets. */
export function statusLine(status: Omit<CursorStatus, "path">): string {
  const { target, files, waitingFiles, waitingBytes } = status;
  const all = plural(files, "file");
  const lost = lossText(status);
  const [has, rest] = lost === "" ? ["all", ""] : ["the rest", `; ${lost}`];
  if (waitingFiles === 0) return `${target}: has ${has} of ${all}${rest}`;
  // A file that is being written waits for its end.
  if (waitingBytes === 0) {
    return `${target}: has ${has} that is written, and ${waitingFiles} of ${all} may grow${rest}`;
  }
  return `${target}: ${formatBytes(waitingBytes)} wait, in ${waitingFiles} of ${all}${rest}`;
}

/** What happened to messages that never reach a target. */
const LOSS_TEXTS = {
  dropped: "removed before it was sent",
  refused: "refused",
  unreadable: "unreadable",
} as const;

function lossText(status: Pick<CursorStatus, LossKind>): string {
  const texts = LOSSES.flatMap((kind) => {
    const { messages, bytes, lastMs } = status[kind];
    if (messages === 0 && bytes === 0) return [];
    const last = new Date(lastMs).toISOString().replace(/\.\d+/, "");
    const much = `${plural(messages, "message")} (${formatBytes(bytes)})`;
    return [`${LOSS_TEXTS[kind]}: ${much}, last on ${last}`];
  });
  return texts.join("; ");
}

/** The name of a target, as in its cursor. */
function nameOf(url: string): string {
  try {
    return targetName(url);
  } catch (error) {
    throw new UsageError(`--forward ${hideSecrets(url)}: ${reason(error)}`);
  }
}

async function reset(
  pattern: SavePattern,
  to: "oldest" | "now",
  target: string | undefined,
): Promise<string> {
  const adapter = await loadFileAdapter();
  const place = pattern.folder + pattern.name;
  const unlock = await lockSaving(place, adapter, await loadProcessAdapter());
  try {
    const changed = await resetCursors({ pattern, adapter }, to, target);
    if (changed.length === 0) {
      throw new Error("there is no such cursor: see rerelay forward status");
    }
    const what = to === "oldest" ? "begins with the oldest file" : "begins with what comes";
    return changed.map((name) => `${name} ${what}\n`).join("");
  } finally {
    await unlock();
  }
}
