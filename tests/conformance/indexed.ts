/** What SDKs log over gRPC, saved with a chunk index: today's Rerun takes it and finds what was logged. */
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Child, run } from "./child.ts";
import { Cli, cliCommand, type Runtime } from "./cli_process.ts";
import { logWorkload, type Passed } from "./scenarios.ts";
import type { Sdk } from "./sdk_cache.ts";
import { freePort } from "../free_ports.ts";

/** Once, with the last that spoke TCP. */
export const INDEXED: readonly string[] = ["0.22.1"];
/** SDKs whose files are indexed when they are closed. */
const LOGGING = ["0.24.1", "0.30.2", "0.36.2", "0.41.0"];
const VERIFYING = ["0.36.2", "0.41.0"];
const TODAY = "0.41.0";
const STEPS = 300;
const [FIRST, END] = [100, 200];
/** So long is the file of the server that is killed, in bytes. */
const KILLED_AT = 1_000_000;
const CLI_MS = 60_000;
const WORKLOAD = fileURLToPath(new URL("indexed.py", import.meta.url));
const QUERY = fileURLToPath(new URL("catalog.py", import.meta.url));

/**
 * Lets newer SDKs log to one server, and Rerun's own tools read what it saved.
 *
 * @param sdk an old one: what it logs is migrated
 * @param get another SDK
 * @throws if anything is not as it must be
 */
export async function playIndexed(
  sdk: Sdk,
  runtime: Runtime,
  folder: string,
  get: (version: string) => Promise<Sdk>,
): Promise<Passed> {
  const saved = join(folder, "saved");
  await mkdir(saved, { recursive: true });
  {
    await using cli = await Cli.start(runtime, ["--save", join(saved, "{recording_id}.rrd")]);
    for (const version of LOGGING) {
      const { python, env } = await get(version);
      const url = `rerun+http://127.0.0.1:${cli.port}/proxy`;
      await run([python, WORKLOAD, url, String(STEPS), `rec-${version}`], {
        ms: CLI_MS,
        env: { ...env, RERUN_FLUSH_NUM_ROWS: "5" },
      });
    }
    await cli.stop();
  }
  const old = join(folder, "old.rrd");
  {
    await using cli = await Cli.start(runtime, ["--save", old]);
    await logWorkload(sdk, cli.port, "mixed", 30, "rec-old");
    await cli.stop();
  }
  const own = (...args: string[]) =>
    run([...cliCommand(runtime), "rrd", ...args], {
      ms: CLI_MS,
      env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "" },
    });
  // What had no time at the end gets its index here; the others have this very one.
  const files = (await readdir(saved)).filter((name) => name.endsWith(".rrd"))
    .map((name) => join(saved, name));
  if (files.length !== LOGGING.length) throw new Error(`${files.length} files were saved`);
  await own("index", ...files);
  const migrated = join(folder, "migrated.rrd");
  const merged = join(folder, "merged.rrd");
  await own("migrate", old, "-o", migrated);
  await own("merge", ...files, "-o", merged);
  const of = (name: string) => join(folder, `${name}.rrd`);
  const drops = ["--drop-timeline", "log_tick", "--drop-timeline", "log_time"];
  await own("filter", merged, "-o", of("filtered"), ...drops);
  await own("filter", migrated, "-o", of("filtered-old"), ...drops);
  await own("route", old, "-o", of("routed-old"), "--recording-id", "new");
  await own("migrate", of("routed-old"), "-o", of("routed"));
  await own("recover", migrated, "-o", of("recovered"));
  const parts = join(folder, "parts");
  await mkdir(parts);
  await own("split", merged, "-o", parts);
  const made = [
    await killedAndRecovered(await get(TODAY), runtime, join(folder, "killed")),
    ...["filtered", "filtered-old", "routed", "recovered"].map(of),
    ...(await readdir(parts)).filter((name) => name.endsWith(".rrd")).map((name) =>
      join(parts, name)
    ),
  ];
  for (const version of VERIFYING) {
    const { rerun, env } = await get(version);
    for (const file of [...files, migrated, merged, ...made]) {
      await run([...rerun, "rrd", "verify", file], { ms: CLI_MS, env });
    }
  }
  for (const file of [...files, ...made]) await own("verify", "--strict", file);
  await queryCatalog(await get(TODAY), saved);
  return { packets: files.length + 2 + made.length, bytes: 0 };
}

/** The file of a server that was killed while an SDK logged, which the next one recovered and indexed. */
async function killedAndRecovered(
  { python, env }: Sdk,
  runtime: Runtime,
  folder: string,
): Promise<string> {
  await mkdir(folder);
  const args = ["--save", join(folder, "{recording_id}.rrd")];
  const file = join(folder, "rec-killed.rrd");
  {
    await using cli = await Cli.start(runtime, args);
    const url = `rerun+http://127.0.0.1:${cli.port}/proxy`;
    await using _sdk = new Child([python, WORKLOAD, url, "1000000", "rec-killed"], { env });
    await until("the killed server's file", async () => (await sizeOf(`${file}.part`)) > KILLED_AT);
    cli.child.kill("SIGKILL");
    await cli.child.ended;
  }
  await using cli = await Cli.start(runtime, args);
  await until("the recovered file's index", async () => {
    const bytes = await readFile(file).catch(() => undefined);
    return bytes !== undefined && bytes.subarray(-12, -4).toString() === "RRF2FOOT";
  });
  await cli.stop();
  return file;
}

function sizeOf(path: string): Promise<number> {
  return stat(path).then(({ size }) => size, () => 0);
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + CLI_MS;
  while (!await isSo()) {
    if (performance.now() > deadline) throw new Error(`${what} did not come`);
    await delay(50);
  }
}

/** A catalog server over the folder has the rows of a range, no more and no less. */
async function queryCatalog({ python, rerun, env }: Sdk, saved: string): Promise<void> {
  const port = await freePort();
  const command = ["server", "--host", "127.0.0.1", "-p", String(port), "-d", `saved=${saved}`];
  await using server = new Child([...rerun, ...command], { env });
  await server.waitFor(/Ready for connections/, CLI_MS);
  const url = `rerun+http://127.0.0.1:${port}`;
  const { stdout } = await run([python, QUERY, url, "saved", String(FIRST), String(END)], {
    ms: CLI_MS,
    env,
  });
  const found = JSON.parse(stdout) as Record<string, [number, number][]>;
  const expected = Array.from({ length: END - FIRST }, (_, i) => [FIRST + i, (FIRST + i) / 2]);
  for (const logged of LOGGING) {
    const rows = found[`rec-${logged}`];
    if (JSON.stringify(rows) !== JSON.stringify(expected)) {
      throw new Error(`the catalog has ${rows?.length} rows of SDK ${logged} from ${FIRST} on`);
    }
  }
}
