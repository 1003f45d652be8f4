/** Finds Rerun's own server, or builds it: see `peer/`. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, cp, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { cacheFolder } from "../conformance/sdk_cache.ts";

/** All of its dependencies take ten minutes on two cores. */
const BUILD_DEADLINE_MS = 45 * 60_000;
const SOURCE = fileURLToPath(new URL("peer", import.meta.url));

/** Whether what was built is what it would be today. */
async function isOfToday(folder: string): Promise<boolean> {
  const main = join("src", "main.rs");
  const [built, today] = await Promise.all(
    [folder, SOURCE].map((from) => readFile(join(from, main), "utf8").catch(() => "")),
  );
  return built === today;
}

/**
 * The program, `undefined` (and a line why) where there is none and none can be built.
 *
 * @param given as the option says
 */
export async function findPeer(given = process.env["RERELAY_PEER"]): Promise<string | undefined> {
  if (given !== undefined) {
    await access(given);
    return given;
  }
  const folder = join(cacheFolder(), "..", "peer");
  const program = join(folder, "target", "release", "rustpeer");
  if (await isOfToday(folder) && await access(program).then(() => true, () => false)) {
    return program;
  }
  if (!await promisify(execFile)("cargo", ["--version"]).then(() => true, () => false)) {
    console.log("There is no cargo on PATH: without Rerun's own server.");
    return undefined;
  }
  console.log(`building Rerun's own server in ${folder} (once, ten minutes)`);
  await mkdir(folder, { recursive: true });
  await cp(SOURCE, folder, { recursive: true });
  const options = { cwd: folder, timeout: BUILD_DEADLINE_MS, stdio: "inherit" } as const;
  const [code] = await once(spawn("cargo", ["build", "--release"], options), "exit");
  if (code === 0) return program;
  console.log(`cargo ended with ${code}: without Rerun's own server.`);
  return undefined;
}
