/// <reference lib="dom" />
/** What the executable must do where there is nothing but it: no runtime, packages, HOME or network. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { installedPackages } from "../../lib/adapters/http/package_files.ts";
import { RRD_HELP } from "../../lib/cli/rrd/help.ts";
import { VERSION } from "../../lib/cli/version.ts";
import { PACKAGE_FILES } from "../../lib/viewers/page/assets.ts";
import { unixReceiver } from "../adapters/process/unix_receiver.ts";
import { openPage } from "../browser/chromium.ts";
import { events, READY_MS, shown, viewerReady } from "../browser/looks.ts";
import { Child, run } from "../conformance/child.ts";
import type { Sdk } from "../conformance/sdk_cache.ts";
import type { Room } from "./room.ts";

/** What scenarios have at hand; all of it was fetched before the network was taken away. */
export interface Props {
  readonly room: Room;
  /** Where the build has put it. */
  readonly executable: string;
  readonly chromium: string;
  /** The last SDK that spoke TCP. */
  readonly older: Sdk;
  /** That of today, whose CLI verifies. */
  readonly today: Sdk;
}

/** One of them; they run in their order, in one room. */
export interface Scenario {
  readonly name: string;
  play(props: Props): Promise<void>;
}

const WORKLOAD = fileURLToPath(new URL("../conformance/workload.py", import.meta.url));
const INDEXED = fileURLToPath(new URL("../conformance/indexed.py", import.meta.url));
const ROBOT = fileURLToPath(new URL("../browser/robot.py", import.meta.url));
/** An SDK's program, Rerun's CLI, and a word to the service manager, in milliseconds. */
const SDK_MS = 60_000;
const VERIFY_MS = 60_000;
const HEARD_MS = 10_000;
/** A worker that has nothing to do takes less, in milliseconds of the processor. */
const COMPRESSING_MS = 2;
/** Where the page finds the files of a package. */
const PLACES: Readonly<Record<string, string>> = {
  "uplot": "plot",
  "@rerun-io/web-viewer": "viewer",
  "rerun-web-viewer-0-33": "viewer-0.33",
};
/** What lies in a folder and would be taken from there by Deno, Bun or Node. */
const TRAPS: Readonly<Record<string, string>> = {
  ".env": "RERELAY_PORT=1234\n",
  "bunfig.toml": 'preload = ["./evil.ts"]\n',
  "evil.ts": 'console.log("evil");\n',
  "tsconfig.json": '{"compilerOptions": {"paths": {"*": ["./evil.ts"]}}}\n',
  "package.json": '{"imports": {"#x": "./evil.ts"}}\n',
};
/** Longer than the page looks. */
const ROBOT_SEC = 120;

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "saves what SDK 0.22.1 and 0.41.0 log, compressed in its worker",
    async play({ room, older, today }) {
      assertEquals(await room.files(), []);
      await using server = await room.serve(["--save", "{recording_id}.rrd", "--compress", "lz4"]);
      await server.says(/(Saving) what is logged/);
      const before = await server.busyMs("Worker");
      await logOlder(older, server.port, "large");
      await logToday(today, server.port);
      // 8 MB are some milliseconds of work, wherever it is done.
      await until(
        "the worker to compress",
        async () => await server.busyMs("Worker") > before + COMPRESSING_MS,
      );
      await server.stop();
      assertEquals(await room.files(), [
        "older.rrd",
        "today.rrd",
        "{recording_id}.rrd.index.jsonl",
      ]);
      await room.run(["rrd", "verify", "--strict", "older.rrd", "today.rrd"]);
      await realVerify(today, room.path("today.rrd"));
    },
  },
  {
    name: "lies beside its checksum, and says its version, its help and what is wrong",
    async play({ room, executable }) {
      const sum = await readFile(`${executable}.sha256`, "utf8");
      assertEquals(sum, `${digest(await readFile(executable))}  ${basename(executable)}\n`);
      const { stdout, stderr } = await room.run(["--version"]);
      assertEquals([stdout, stderr], [`rerelay ${VERSION}\n`, ""]);
      assertStringIncludes((await room.run(["--help"])).stdout, "Usage: rerelay [OPTIONS]");
      await room.run(["--prot", "1"], 2);
      await room.run(["config", "--port", "1"]);
    },
  },
  {
    name: "takes no options and no code from the folder that it is started in",
    async play({ room }) {
      for (const [name, text] of Object.entries(TRAPS)) await writeFile(room.path(name), text);
      try {
        const { stdout, stderr } = await room.run(["config", "--json"]);
        assertEquals(stderr, "");
        assertEquals(JSON.parse(stdout).port, { value: "9876", source: "default" });
      } finally {
        for (const name of Object.keys(TRAPS)) await rm(room.path(name));
      }
    },
  },
  {
    name: "serves every file of the page's packages as it is installed",
    async play({ room }) {
      const ports = ["--ws-server-port", "0", "--web-viewer-port", "0"];
      await using server = await room.serve(["--serve-web", ...ports]);
      const page = await server.says(/Hosting a web viewer at (\S+\/)/);
      for (const [name, path] of PACKAGE_FILES) {
        const url = new URL(`${PLACES[name]}/${path.replace("dist/", "")}`, page);
        const served = new Uint8Array(await (await fetch(url)).arrayBuffer());
        assertEquals(
          digest(served),
          digest(await installedPackages.read(name, path)),
          url.pathname,
        );
      }
      await server.stop();
    },
  },
  {
    name: "runs every rrd command",
    async play({ room, older, today }) {
      {
        await using server = await room.serve(["--save", "a-{application_id}.rrd"]);
        await logOlder(older, server.port, "mixed");
        await logToday(today, server.port);
        await server.stop();
      }
      const ran = new Set<string>();
      const rrd = async (...args: string[]) => {
        ran.add(args[0]!);
        return (await room.run(["rrd", ...args])).stdout;
      };
      const [old, now] = ["a-rerelay_conformance.rrd", "a-rerelay_conformance_indexed.rrd"];
      assertStringIncludes(await rrd("stats", old, now), 'Recording "older"');
      assertStringIncludes(await rrd("print", now), "/plots/line");
      await rrd("verify", "--strict", old, now);
      await rrd("index", now);
      await rrd("migrate", old, "-o", "migrated.rrd");
      await rrd("merge", "migrated.rrd", now, "-o", "merged.rrd");
      await rrd("recover", "merged.rrd", "-o", "recovered.rrd");
      await rrd("compare", "merged.rrd", "recovered.rrd");
      await rrd("filter", "merged.rrd", "--recording-id", "today", "-o", "filtered.rrd");
      await rrd("compare", "filtered.rrd", now);
      await rrd("route", now, "--recording-id", "other", "-o", "routed.rrd");
      await mkdir(room.path("parts"));
      await rrd("split", "merged.rrd", "-o", "parts");
      const parts = (await readdir(room.path("parts"))).map((name) => join("parts", name));
      assert(parts.length >= 2, parts.join());
      {
        await using server = await room.serve(["--save", "replayed.rrd"]);
        await rrd("replay", now, "--to", `rerun+http://127.0.0.1:${server.port}/proxy`);
        await server.stop();
      }
      await rrd("compare", now, "replayed.rrd");
      const names = [...RRD_HELP.matchAll(/^ {2}([a-z]+) FILE/gm)].map(([, name]) => name!);
      assertEquals([...ran].sort(), names.sort());
      const made = ["migrated", "merged", "recovered", "filtered", "routed", "replayed"];
      for (const name of [...made.map((name) => `${name}.rrd`), ...parts]) {
        await realVerify(today, room.path(name));
      }
    },
  },
  ...(["older", "today"] as const).map((which): Scenario => ({
    name: `serves the page, with the viewer for ${which === "older" ? "SDK 0.22" : "SDK 0.41"}`,
    async play({ room, chromium, ...sdks }) {
      const ports = ["--ws-server-port", "0", "--web-viewer-port", "0"];
      await using server = await room.serve(["--serve-web", ...ports]);
      const url = await server.says(/Hosting a web viewer at (\S+\/)/);
      const { python, env } = sdks[which];
      await using robot = new Child(
        [python, ROBOT, server.port, `${ROBOT_SEC}`, which, "robot", "0.2"],
        { env },
      );
      {
        await using watched = await openPage(chromium);
        const { page, faults } = watched;
        await page.goto(url);
        await viewerReady(page);
        await shown(page, which, READY_MS);
        await events(page, 2, READY_MS);
        // The viewer's code and its wasm, and the plots: all come from the executable.
        const loaded = await page.evaluate(() =>
          performance.getEntriesByType("resource").map((entry) => {
            const { name, responseStatus } = entry as PerformanceResourceTiming;
            return `${responseStatus} ${new URL(name).pathname}`;
          })
        );
        const viewer = which === "older" ? "/viewer/" : "/viewer-0.33/";
        for (
          const path of [`${viewer}index.js`, `${viewer}re_viewer_bg.wasm`, "/plot/uPlot.esm.js"]
        ) {
          assert(loaded.includes(`200 ${path}`), `${path} was not loaded, but ${loaded}`);
        }
        assertEquals(faults, []);
      }
      robot.kill("SIGKILL");
      await robot.ended;
      server.child.kill("SIGTERM");
      assertEquals((await server.child.ended).code, 0);
    },
  })),
  ...["a path", "an abstract name"].map((kind): Scenario => ({
    name: `tells a service manager at ${kind} that it is ready, alive and stopping`,
    async play({ room }) {
      const path = room.path("notify");
      const socket = kind === "a path" ? path : `@${path}`;
      const receiver = unixReceiver(socket);
      try {
        await using server = await room.serve([], {
          NOTIFY_SOCKET: socket,
          WATCHDOG_USEC: "40000",
        });
        const heard: string[] = [];
        const hears = (word: string) =>
          until(word, () => {
            for (let text; (text = receiver.take()) !== undefined;) heard.push(text);
            return Promise.resolve(heard.some((text) => text.startsWith(word)));
          });
        await hears(`READY=1\nSTATUS=Hosting a SDK server over TCP at 127.0.0.1:${server.port}`);
        await hears("WATCHDOG=1");
        const stopped = server.stop();
        await hears("STOPPING=1");
        await stopped;
      } finally {
        receiver.close();
        await rm(path, { force: true });
      }
    },
  })),
];

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Lets the SDK that speaks TCP log a recording "older". */
async function logOlder({ python, env }: Sdk, port: string, mode: string): Promise<void> {
  await run([python, WORKLOAD, port, mode, "5", "older"], { ms: SDK_MS, env });
}

/** Lets today's SDK log a recording "today" by gRPC. */
async function logToday({ python, env }: Sdk, port: string): Promise<void> {
  const url = `rerun+http://127.0.0.1:${port}/proxy`;
  const command = [python, INDEXED, url, "200", "today"];
  await run(command, { ms: SDK_MS, env: { ...env, RERUN_FLUSH_NUM_ROWS: "5" } });
}

/** Rerun's own check of a file. */
async function realVerify({ rerun, env }: Sdk, path: string): Promise<void> {
  await run([...rerun, "rrd", "verify", path], { ms: VERIFY_MS, env });
}

async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + HEARD_MS;
  while (!await isTrue()) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await delay(10);
  }
}
