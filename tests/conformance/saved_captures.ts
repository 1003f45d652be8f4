/**
 * Recorded connections, saved as they came and compressed, and read by real CLIs: that of the SDK's own
 * version, and of 0.23.4, whose `verify` decodes every column.
 */
import { Buffer } from "node:buffer";
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkPrints } from "./checks.ts";
import { Child, describeEnd, run, within } from "./child.ts";
import { Cli, type Runtime } from "./cli_process.ts";
import { cutConnection } from "./cutter.ts";
import type { Passed } from "./scenarios.ts";
import type { Sdk } from "./sdk_cache.ts";

/** Captures by version; those of 0.22.1 were also saved by Rerun itself. */
export const SAVED: Readonly<Record<string, readonly string[]>> = {
  "0.16.1": ["mixed", "blueprint"],
  "0.17.0": ["mixed"],
  "0.18.2": ["mixed"],
  "0.19.1": ["mixed"],
  "0.20.3": ["mixed"],
  "0.21.0": ["mixed"],
  "0.22.1": ["mixed", "blueprint", "timeonly"],
};

const VERIFIER = "0.23.4";
const CLI_MS = 60_000;
const MARKER_BYTES = 8;

/** Components of 0.22's blueprints that 0.23 does not know any more: it says so of Rerun's own files, too. */
const FORGOTTEN = /Failed to deserialize column .*: Unknown component$/;

/**
 * Replays a version's captures, each into a server of its own, and checks what was saved.
 *
 * @param get another SDK
 * @throws if anything is not as it must be
 */
export async function playSaved(
  sdk: Sdk,
  runtime: Runtime,
  folder: string,
  get: (version: string) => Promise<Sdk>,
): Promise<Passed> {
  await mkdir(folder, { recursive: true });
  const passed = { packets: 0, bytes: 0 };
  for (const kind of SAVED[sdk.version]!) {
    const name = `${sdk.version}-${kind}`;
    const sent = await readFile(fixturePath(`captures/${name}.bin`));
    const { packets, messages } = cutConnection(new Uint8Array(sent));
    for (const how of ["off", "lz4"]) {
      const path = join(folder, `${name}-${how}.rrd`);
      {
        await using cli = await Cli.start(runtime, ["--save", path, "--compress", how]);
        await replay(cli.port, sent);
        await cli.stop();
      }
      await checkPrints(sdk, path, messages.length);
      await checkAsRerun(sdk, name, how, path);
      if (Number(sdk.version.split(".")[1]) >= 18) await checkVerifies(await get(VERIFIER), path);
    }
    passed.packets += packets;
    passed.bytes += sent.length;
  }
  return passed;
}

/** Holds the file against what `rerun --save` made of the same connection. */
async function checkAsRerun(sdk: Sdk, name: string, how: string, path: string): Promise<void> {
  const rerun = fixturePath(`viewers/${name}.saved-by-rerun.rrd`);
  if (!existsSync(rerun)) return;
  await run([...sdk.rerun, "rrd", "compare", path, rerun], { ms: CLI_MS, env: sdk.env });
  if (how === "off") return;
  // Rerun ends without an end marker.
  const saved = (await readFile(path)).subarray(0, -MARKER_BYTES);
  if (Buffer.compare(saved, await readFile(rerun)) !== 0) {
    throw new Error(`${path} has other bytes than Rerun's own file`);
  }
}

async function checkVerifies(verifier: Sdk, path: string): Promise<void> {
  const command = [...verifier.rerun, "rrd", "verify", path];
  await using child = new Child(command, { env: verifier.env });
  const ended = await within(CLI_MS, "rrd verify", child.ended);
  if (ended.code === 0) return;
  const wrong = ended.stderr.split("\n").filter((line) =>
    line.trim() !== "" && !FORGOTTEN.test(line) && !/WARN|Verification failed with/.test(line)
  );
  if (wrong.length > 0 || !path.includes("blueprint")) {
    throw new Error(`Rerun ${VERIFIER} on ${path}: ${describeEnd(ended)}`);
  }
}

/** Sends a recorded connection. */
export function replay(port: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.end(bytes));
    socket.resume();
    socket.on("close", () => resolve());
    socket.on("error", reject);
  });
}

/** Where a fixture is. */
export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
}
