/**
 * The command line, from arguments to exit code.
 *
 * @module
 */
import { type CliCommand, configPath, type HostOptions, parseCliArgs } from "./args/args.ts";
import type { NatsArgs } from "./args/from_args.ts";
import type { Settings } from "./args/setting.ts";
import { UsageError } from "./args/arg_reader.ts";
import { EXIT } from "./exit_codes.ts";
import { helpText } from "./args/help.ts";
import { host } from "./host/host.ts";
import type { CliProcess } from "./process.ts";
import { stopSignals } from "./host/stop_signals.ts";
import { VERSION } from "./version.ts";

/**
 * Runs the command line.
 *
 * @param process arguments, streams and signals
 * @returns the exit code
 */
export async function main(process: CliProcess): Promise<number> {
  if (process.args[0] === "rrd") {
    // Loaded only now: a server needs none of it.
    const { rrd } = await import("./rrd/rrd.ts");
    return await rrd(process.args.slice(1), process);
  }
  if (process.args[0] === "config") {
    const { config } = await import("./config.ts");
    return await config(process.args.slice(1), process);
  }
  if (process.args[0] === "forward") {
    const { forward } = await import("./forward.ts");
    return await forward(process.args.slice(1), process);
  }
  // Signals are handled from here on, while the start may still wait.
  let beforeExit = () => {};
  const drain = new Promise<void>((resolve) => process.onDrainSignal(resolve));
  const signal = stopSignals(process, () => beforeExit());
  let command: CliCommand;
  try {
    const file = await configFile(process);
    command = parseCliArgs(process.args, { env: process.env, ...(file && { file }) });
    if (command.command === "host" && hasSecretFiles(command.options)) {
      const { withSecrets } = await import("./read_secret.ts");
      command = { ...command, options: await withSecrets(command.options) };
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr(`error: ${error.message}\n`);
    return EXIT.usage;
  }
  switch (command.command) {
    case "help":
      process.stdout(helpText());
      return EXIT.ok;
    case "version":
      process.stdout(
        command.json ? `${JSON.stringify(versionJson(process))}\n` : `rerelay ${VERSION}\n`,
      );
      return EXIT.ok;
    case "host":
      return await host(command.options, process, {
        signal,
        drain,
        onExitNow: (task) => beforeExit = task,
      });
  }
}

/** Whether secrets are in files of their own; the code to read them is loaded only then. */
function hasSecretFiles({ viewers, from, forward }: HostOptions): boolean {
  const isIn = (nats?: NatsArgs) =>
    nats?.tokenFile !== undefined || nats?.passwordFile !== undefined;
  return viewers?.tokenFile !== undefined || isIn(from?.nats) || isIn(forward?.nats);
}

/** Reads the file of `--config`, if one is named; the code for it is loaded only then. */
async function configFile(process: CliProcess): Promise<Settings | undefined> {
  const path = configPath(process.args, process.env);
  if (path === undefined) return undefined;
  const { readConfig } = await import("./read_config.ts");
  return await readConfig(path);
}

/** The version and what it runs on as JSON, for programs that look after many machines. */
function versionJson({ platform, arch, runtime, packages }: CliProcess) {
  const isExecutable = packages !== undefined;
  return { name: "rerelay", version: VERSION, runtime, platform, arch, executable: isExecutable };
}
