/** What old SDKs logged, migrated, and read by the CLI of today's Rerun. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { archetypesIn, checkTable } from "./archetype_table.ts";
import { run } from "./child.ts";
import { Cli, cliCommand, type Runtime } from "./cli_process.ts";
import { cutConnection } from "./cutter.ts";
import { fixturePath, replay, SAVED } from "./saved_captures.ts";
import { logWorkload, type Passed } from "./scenarios.ts";
import type { Sdk } from "./sdk_cache.ts";

/** Versions whose chunks today's Rerun reads once they are migrated. */
export const MIGRATED: readonly string[] = Object.keys(SAVED).filter((version) =>
  Number(version.split(".")[1]) >= 17
);

/** The last version whose data has no form of today. */
export const TABLES = "0.16.1";

const EVERY = fileURLToPath(new URL("every_archetype.py", import.meta.url));
/** Today's Rerun. */
export const TODAY = "0.41.0";
/** The Rerun that reads data of SDK 0.22, once the file says that it is of this one. */
const NEXT = "0.23.4";
const NEXT_READS = "0.22.1";
const CLI_MS = 60_000;

/** What the workload called `mixed` logs, by today's names. */
const NAMES = [
  ...["Clear:is_recursive", "Points3D:colors", "Points3D:positions", "Points3D:radii"],
  ...["Scalars:scalars", "TextDocument:text", "TextLog:level", "TextLog:text"],
  ...["Image:buffer", "Image:format", "ViewCoordinates:xyz"],
];
const BLUEPRINT_NAMES = [
  ...["ContainerBlueprint:contents", "PanelBlueprint:state", "ViewBlueprint:class_identifier"],
  ...["ViewBlueprint:space_origin", "ViewContents:query", "ViewportBlueprint:root_container"],
];

/** What an independent decoder read of a capture. */
interface Expected {
  readonly packets: readonly {
    readonly messages: readonly {
      readonly type: string;
      readonly rows?: number;
      readonly store_id?: { readonly kind: string; readonly id: string };
    }[];
  }[];
}

/**
 * Saves and migrates a version's captures and what its SDK logs now, and has today's CLI read it.
 *
 * @param get another SDK
 * @throws if anything is not as it must be
 */
export async function playMigrated(
  sdk: Sdk,
  runtime: Runtime,
  folder: string,
  get: (version: string) => Promise<Sdk>,
): Promise<Passed> {
  await mkdir(folder, { recursive: true });
  if (sdk.version === TABLES) return await checkTables(sdk, runtime, join(folder, "every"));
  const today = await get(TODAY);
  const passed = { packets: 0, bytes: 0 };
  for (const kind of SAVED[sdk.version]!) {
    const name = `captures/${sdk.version}-${kind}`;
    const sent = await readFile(fixturePath(`${name}.bin`));
    const expected = await readFile(fixturePath(`${name}.expected.json`), "utf8");
    const send = (port: number) => replay(port, sent);
    const own = await migrated(runtime, join(folder, kind), send);
    if (sdk.version === NEXT_READS) {
      await checkEqualsMerge(await get(NEXT), runtime, join(folder, kind), own);
    }
    for (
      const path of [
        own,
        await savedAsCurrent(runtime, join(folder, `${kind}-current.rrd`), send),
      ]
    ) {
      await checkNames(today, path, kind === "timeonly" ? ["Scalars:scalars"] : names([kind]));
      await checkRows(today, path, expected);
    }
    passed.packets += cutConnection(new Uint8Array(sent)).packets;
    passed.bytes += sent.length;
  }
  await checkEvery(sdk, runtime, join(folder, "every"), today);
  const jobs = ["mixed", "blueprint"];
  const path = await migrated(runtime, join(folder, "live"), async (port) => {
    for (const job of jobs) await logWorkload(sdk, port, job, 30, `rec-${job}`);
  });
  await checkNames(today, path, names(jobs));
  return passed;
}

/** One of every archetype: all have today's names, but those whose data is laid out otherwise. */
async function checkEvery(sdk: Sdk, runtime: Runtime, name: string, today: Sdk): Promise<void> {
  let report = "";
  const path = await migrated(
    runtime,
    name,
    (port) => logEvery(sdk, port),
    (json) => report = json,
  );
  const minor = Number(sdk.version.split(".")[1]);
  const expected = [
    ...(minor < 22 ? ["DisconnectedSpace"] : []),
    ...(minor < 18 ? ["Transform3D"] : []),
  ].map((component) => `rerun.components.${component}`);
  const { untagged_columns: untagged } = JSON.parse(report) as { untagged_columns: object };
  const found = Object.keys(untagged).sort();
  if (found.join() !== expected.join()) throw new Error(`untagged are ${found}, not ${expected}`);
  await checkTable(await archetypesIn(path), minor);
  await checkNames(today, path, [
    ...["Arrows3D:vectors", "Pinhole:resolution", "confidence", "Tensor:data", "BarChart:values"],
    ...["DepthImage:format", "SegmentationImage:buffer", "SeriesPoints:markers"],
  ]);
}

/** One of every archetype, in tables: none of it has today's form, which is said and not half done. */
async function checkTables(sdk: Sdk, runtime: Runtime, name: string): Promise<Passed> {
  let error = "";
  await migrated(runtime, name, (port) => logEvery(sdk, port)).catch(({ message }) => {
    error = message;
  });
  if (!/of SDK 0\.16\.1, which logs tables/.test(error)) throw new Error(`migrate said "${error}"`);
  await checkTable(await archetypesIn(`${name}.rrd`), 16);
  return { packets: 0, bytes: 0 };
}

async function logEvery(sdk: Sdk, port: number): Promise<void> {
  await run([sdk.python, EVERY, String(port)], { ms: CLI_MS, env: sdk.env });
}

/** What Rerun 0.23 itself makes of a file holds the same as what is migrated, as it and we compare. */
async function checkEqualsMerge(
  { rerun, env }: Sdk,
  runtime: Runtime,
  name: string,
  own: string,
): Promise<void> {
  const [labelled, merged] = [`${name}-labelled.rrd`, `${name}-merged.rrd`];
  const bytes = await readFile(`${name}.rrd`);
  // The version in the header is all by which it refuses older ones.
  bytes.set([0, ...NEXT.split(".").slice(1).map(Number), 0], 4);
  await writeFile(labelled, bytes);
  await run([...rerun, "rrd", "merge", labelled, "-o", merged], { ms: CLI_MS, env });
  const ours = (...args: string[]) =>
    run([...cliCommand(runtime), "rrd", ...args], {
      ms: CLI_MS,
      env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "" },
    });
  await ours("compare", own, merged);
  // Its own counts every chunk, and makes none of when the recording began.
  const logged = `${name}-logged.rrd`;
  await ours("filter", own, "--drop-entity", "/__properties/recording", "-o", logged);
  await run([...rerun, "rrd", "compare", logged, merged], { ms: CLI_MS, env });
}

/** What an SDK's workloads log, by today's names. */
export function names(kinds: readonly string[]): string[] {
  return [
    ...(kinds.includes("mixed") ? NAMES : []),
    ...(kinds.includes("blueprint") ? BLUEPRINT_NAMES : []),
  ];
}

/** What is sent to a server, saved by it and migrated. */
async function migrated(
  runtime: Runtime,
  name: string,
  send: (port: number) => Promise<void>,
  onReport: (json: string) => void = () => {},
): Promise<string> {
  const [saved, out] = [`${name}.rrd`, `${name}-migrated.rrd`];
  {
    await using cli = await Cli.start(runtime, ["--save", saved]);
    await send(cli.port);
    await cli.stop();
  }
  const { stdout } = await run(
    [...cliCommand(runtime), "rrd", "migrate", saved, "-o", out, "--json"],
    { ms: CLI_MS, env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "" } },
  );
  onReport(stdout);
  return out;
}

/** What is sent to a server that saves it in today's form. */
async function savedAsCurrent(
  runtime: Runtime,
  path: string,
  send: (port: number) => Promise<void>,
): Promise<string> {
  await using cli = await Cli.start(runtime, ["--save", path, "--rrd-format", "current"]);
  await send(cli.port);
  await cli.stop();
  return path;
}

/** Looks for columns in what today's CLI prints of a file, which may complain of nothing. */
export async function checkNames(
  today: Sdk,
  path: string,
  names: readonly string[],
): Promise<void> {
  const { stdout, stderr } = await run([...today.rerun, "rrd", "print", "-vv", path], {
    ms: CLI_MS,
    env: { ...today.env, RUST_LOG: "info" },
  });
  const complaint = /^.*\b(ERROR|WARN)\b.*$/m.exec(stderr);
  if (complaint) throw new Error(`Rerun ${TODAY} on ${path} says: ${complaint[0].slice(0, 400)}`);
  const missing = names.filter((name) => !stdout.includes(`component: ${name}`));
  if (missing.length > 0) {
    throw new Error(`Rerun ${TODAY} finds no ${missing.join(", ")} in ${path}`);
  }
}

async function checkRows(today: Sdk, path: string, expected: string): Promise<void> {
  const { stdout } = await run([...today.rerun, "rrd", "stats", path], {
    ms: CLI_MS,
    env: today.env,
  });
  const messages = (JSON.parse(expected) as Expected).packets.flatMap(({ messages }) => messages);
  const chunks = messages.filter(({ type }) => type === "ArrowMsg");
  // When it began, of each recording.
  const starts = new Set(
    messages.map(({ store_id: store }) => store?.kind === "Recording" ? store.id : undefined)
      .filter((id) => id !== undefined),
  ).size;
  const rows = chunks.reduce((sum, { rows = 0 }) => sum + rows, starts);
  for (const line of [`num_chunks = ${chunks.length + starts}`, `num_rows = ${rows}`]) {
    if (!stdout.split("\n").includes(line)) throw new Error(`${path} has not ${line}`);
  }
}
