/**
 * Runs a command with Deno and Bun on PATH: `node tools/run.mjs COMMAND [ARGS]`.
 */
import process from "node:process";
import { endAs, launch } from "./launch.mjs";
import { ensureRuntimes, mayFetch, ToolError } from "./runtimes.mjs";

const [command, ...args] = process.argv.slice(2);
try {
  if (!command) throw new ToolError("Say which command: node tools/run.mjs COMMAND [ARGS]");
  const { env } = await ensureRuntimes(["deno", "bun"], { fetch: mayFetch() });
  endAs(await launch(command, args, { env }));
} catch (error) {
  const absent = error.code === "ENOENT" ? `There is no ${command} on PATH.` : undefined;
  if (!(error instanceof ToolError) && !absent) throw error;
  process.stderr.write(`rerelay: ${absent ?? error.message}\n`);
  process.exit(1);
}
