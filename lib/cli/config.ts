/**
 * `rerelay config`: shows which options are in force and where they were set, without starting a
 * server.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { escapeText } from "../base/escape.ts";
import { ArgReader, UsageError } from "./args/arg_reader.ts";
import { configPath, hostOptions, settingsOf } from "./args/args.ts";
import { hideArguments } from "./args/hide_arguments.ts";
import { shownArgument } from "./args/shown.ts";
import { configText, exampleConfig, optionsInForce } from "./args/config_text.ts";
import { unknownVariables } from "./args/environment.ts";
import { SETTABLE } from "./args/option_table.ts";
import { EXIT } from "./exit_codes.ts";
import type { CliProcess } from "./process.ts";
import { readConfig } from "./read_config.ts";
import { withSecrets } from "./read_secret.ts";
import { plural } from "../base/plural.ts";

const HELP = `rerelay config: which options are in force, and where each is set

Usage: rerelay config [OPTIONS]         all options, as a configuration file
       rerelay config --check FILE      looks for mistakes in a configuration file; starts nothing
       rerelay config --example         a configuration file with every option, each explained

  --json   with the first: {"port": {"value": "9876", "source": "default"}, …}, for programs

OPTIONS are those of the server, --config among them. Options are set on the command line (--port),
in the environment (RERELAY_PORT) or in the file of --config (port = 9876); the first of these counts.
Secrets are never printed.

Examples:
  rerelay config --config rerelay.toml
  rerelay config --check /etc/rerelay.toml && systemctl restart rerelay
  rerelay config --example > rerelay.toml

Exit codes: 0 if all is right, 2 if something is wrong: the message says what and where.
`;

/**
 * Runs `rerelay config`.
 *
 * @param args those after `config`
 * @param given streams and environment
 * @returns the exit code
 */
export async function config(args: readonly string[], given: CliProcess): Promise<number> {
  const process = hideArguments(given, args);
  try {
    process.stdout(await answer(args, process));
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr(`error: ${error.message}\n`);
    return EXIT.usage;
  }
}

async function answer(args: readonly string[], process: CliProcess): Promise<string> {
  const own = ["--check", "--example", "--json", "--help", "-h"];
  const isOwn = (arg: string) => own.includes(arg) || arg.startsWith("--check=");
  if (args.includes("--help") || args.includes("-h")) return HELP;
  if (args.some((arg) => arg === "--check" || arg.startsWith("--check="))) return await check(args);
  if (args.includes("--example")) {
    const rest = args.find((arg) => !isOwn(arg));
    if (rest !== undefined) throw new UsageError(`--example takes no ${shownArgument(rest, 60)}`);
    return exampleConfig();
  }
  const serverArgs = args.filter((arg) => arg !== "--json");
  const path = configPath(serverArgs, process.env);
  const file = path === undefined ? undefined : await readConfig(path);
  const settings = settingsOf(serverArgs, { env: process.env, ...(file && { file }) });
  await withSecrets(hostOptions(settings));
  for (const line of unknownVariables(SETTABLE, process.envNames())) {
    process.stderr(`warning: ${line}\n`);
  }
  return args.includes("--json")
    ? `${JSON.stringify(optionsInForce(settings), null, 2)}\n`
    : configText(settings);
}

/** Checks a file alone, without this machine's environment. */
async function check(args: readonly string[]): Promise<string> {
  const unknown: string[] = [];
  const parsed = parseArgs([...args], {
    string: ["check"],
    unknown: (arg) => (unknown.push(arg), false),
  });
  const path = parsed["check"];
  if (unknown[0] !== undefined) {
    throw new UsageError(`--check FILE stands alone: leave out ${shownArgument(unknown[0], 60)}`);
  }
  if (typeof path !== "string" || path === "") {
    throw new UsageError("--check needs a file, such as --check rerelay.toml");
  }
  const file = await readConfig(path);
  await withSecrets(hostOptions(new ArgReader({}, [file])));
  return `${escapeText(path, 200)}: ${plural(file.size, "option")}, no mistake\n`;
}
