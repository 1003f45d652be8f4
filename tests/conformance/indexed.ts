/** What SDKs log over gRPC, saved with a chunk index: today's Rerun takes it and finds what was logged. */
import { mkdir, readdir } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Child, run } from "./child.ts";
import { Cli, cliCommand, type Runtime } from "./cli_process.ts";
import { logWorkload, type Passed } from "./scenarios.ts";
import type { Sdk } from "./sdk_cache.ts";

/** Once, with the last that spoke TCP. */
export const INDEXED: readonly string[] = ["0.22.1"];
/** SDKs whose files are indexed when they are closed. */
const LOGGING = ["0.24.1", "0.30.2", "0.36.2", "0.41.0"];
const VERIFYING = ["0.36.2", "0.41.0"];
const TODAY = "0.41.0";
const STEPS = 300;
const [FIRST, END] = [100, 200];
const CLI_MS = 60_000;
const INSTALL_MS = 300_000;
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
  await queryCatalog(await get(TODAY), saved);
  return { packets: files.length + 2 + made.length, bytes: 0 };
}

/** A catalog server over the folder has the rows of a range, no more and no less. */
async function queryCatalog({ python, rerun, env, version }: Sdk, saved: string): Promise<void> {
  const pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  await run([...pip, `rerun-sdk[catalog]==${version}`], { ms: INSTALL_MS });
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

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
