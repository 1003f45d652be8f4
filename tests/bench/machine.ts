/** What the figures were measured on. */
import { execFile } from "node:child_process";
import { cpus, platform, release, totalmem } from "node:os";
import { promisify } from "node:util";

/** One line: processor, cores, memory, system, runtimes. */
export async function machine(): Promise<string> {
  const all = cpus();
  const model = (all[0]?.model ?? "unknown processor").trim();
  const gib = Math.round(totalmem() / 2 ** 30);
  const system = `${platform() === "linux" ? "Linux" : platform()} ${/^\d+\.\d+/.exec(release())}`;
  const runtimes = await Promise.all([version("deno"), version("bun")]);
  return [`${model}, ${all.length} cores, ${gib} GiB`, system, ...runtimes].join(", ");
}

async function version(runtime: string): Promise<string> {
  const { stdout } = await promisify(execFile)(runtime, ["--version"]);
  const name = runtime === "deno" ? "Deno" : "Bun";
  return `${name} ${/\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? "of unknown version"}`;
}
