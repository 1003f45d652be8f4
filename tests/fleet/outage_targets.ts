/** The servers that boxes forward to, as processes that can be stopped and reached over a link. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { Child } from "../conformance/child.ts";
import type { Runtime } from "../conformance/cli_process.ts";
import { findPython } from "../conformance/python.ts";
import { cacheFolder, type Sdk, SdkCache } from "../conformance/sdk_cache.ts";
import { freePorts } from "../free_ports.ts";
import { provideNats } from "../nats/nats_program.ts";
import { NatsServer } from "../nats/nats_server.ts";
import { startRerelay } from "./outage_box.ts";
import { difference, recorded } from "./recorded.ts";

/** A server, and what it has. */
export interface OutageTarget {
  /** Stops the server's process, with all that it has started, or lets it go on. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
  /** Where it listens. */
  readonly port: number;
  /** Its address when it is reached by a port: its own, or that of a link. */
  url(port: number): string;
  /** What the box's environment must say besides. */
  env(port: number): Record<string, string>;
  /** What is wrong with what it has of a box's recordings; nothing where all of it is there. */
  difference(box: string): Promise<string | undefined>;
  /** Ends all of it. */
  close(): Promise<void>;
}

/** The version of Rerun that is tried. */
const RERUN = "0.41.0";
const READ_MS = 120_000;
const PATTERN = "{recording_id}-{part}.rrd";

/** A kind of server. */
export interface TargetKind {
  /** Why it can't be tried here. */
  readonly missing: string | false;
  start(folder: string, runtime: Runtime): Promise<OutageTarget>;
}

const noS3 = spawnSync("versitygw", ["--version"]).status === 0
  ? false
  : "versitygw is not on PATH (go install github.com/versity/versitygw/cmd/versitygw@latest)";

/** By the name that the script takes. */
export const TARGETS: Readonly<Record<string, TargetKind>> = {
  nats: {
    get missing() {
      return provideNats().missing;
    },
    start: startNats,
  },
  rerelay: { missing: false, start: startOther },
  rerun: { missing: false, start: startRerun },
  s3: { missing: noS3, start: startS3 },
};

async function startNats(folder: string, runtime: Runtime): Promise<OutageTarget> {
  const nats = await NatsServer.start();
  const copy = join(folder, "middle");
  const middle = await startRerelay(runtime, ["--save", join(copy, PATTERN), "--from", nats.url]);
  return {
    signal: (signal) => nats.signal(signal),
    port: nats.port,
    url: (port) => `nats://127.0.0.1:${port}`,
    env: () => ({}),
    difference: (box) => Promise.resolve(difference(recorded(box), recorded(copy))),
    async close() {
      await middle[Symbol.asyncDispose]();
      await nats[Symbol.asyncDispose]();
    },
  };
}

async function startOther(folder: string, runtime: Runtime): Promise<OutageTarget> {
  const copy = join(folder, "other");
  const other = await startRerelay(runtime, ["--save", join(copy, PATTERN)]);
  return {
    signal: (signal) => void process.kill(-other.child.pid!, signal),
    port: other.port,
    url: (port) => `rerun+http://127.0.0.1:${port}/proxy`,
    env: () => ({}),
    difference: (box) => Promise.resolve(difference(recorded(box), recorded(copy))),
    close: async () => await other[Symbol.asyncDispose](),
  };
}

async function startRerun(folder: string): Promise<OutageTarget> {
  const sdk = await new SdkCache(cacheFolder(), await findPython()).get(RERUN);
  const [port] = await freePorts(1);
  const server = new Child([
    ...[...sdk.rerun, "--serve-grpc", "--bind", "127.0.0.1", "--port", String(port)],
    ...["--server-memory-limit", "8GB"],
  ], { env: sdk.env });
  await listening(port!);
  let reads = 0;
  return {
    signal: (signal) => void process.kill(-server.pid!, signal),
    port: port!,
    url: (port) => `rerun+http://127.0.0.1:${port}/proxy`,
    env: () => ({}),
    async difference(box) {
      const copy = join(folder, `read-${++reads}`);
      mkdirSync(copy);
      await readBack(sdk, port!, join(copy, "all.rrd"));
      // It promises at least once: viewers leave out what comes again, by its id.
      const original = recorded(box);
      const there = new Map(
        Array.from(recorded(copy), ([name, ids]) => [name, [...new Set(ids)]]),
      );
      return difference(original, there);
    },
    close: () => server[Symbol.asyncDispose](),
  };
}

/** Lets Rerun's own CLI save what a server has, until nothing comes any more. */
async function readBack(sdk: Sdk, port: number, path: string): Promise<void> {
  const [own] = await freePorts(1);
  const url = `rerun+http://127.0.0.1:${port}/proxy`;
  const listen = ["--bind", "127.0.0.1", "--port", String(own)];
  await using _reader = new Child([...sdk.rerun, url, ...listen, "--save", path], { env: sdk.env });
  const end = performance.now() + READ_MS;
  let [size, stillSince] = [0, Infinity];
  while (performance.now() - stillSince < 3000) {
    if (performance.now() > end) throw new Error("the reader does not come to an end");
    await new Promise((resolve) => setTimeout(resolve, 200));
    let now = 0;
    try {
      now = statSync(path).size;
    } catch {
      continue; // it has not begun
    }
    if (now !== size || now === 0) [size, stillSince] = [now, performance.now()];
  }
}

async function startS3(folder: string): Promise<OutageTarget> {
  const root = join(folder, "s3");
  mkdirSync(join(root, "fleet"), { recursive: true });
  const [port] = await freePorts(1);
  const keys = ["--access", "me", "--secret", "secretsecret"];
  const server = new Child(
    ["versitygw", ...keys, "--port", `127.0.0.1:${port}`, "posix", root],
    { env: { PATH: process.env["PATH"] ?? "", HOME: folder } },
  );
  await listening(port!);
  return {
    signal: (signal) => void process.kill(-server.pid!, signal),
    port: port!,
    url: () => "s3://fleet/box-7",
    env: (port) => ({
      AWS_ACCESS_KEY_ID: "me",
      AWS_SECRET_ACCESS_KEY: "secretsecret",
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    }),
    difference: (box) => Promise.resolve(sameFiles(box, join(root, "fleet", "box-7"))),
    close: () => server[Symbol.asyncDispose](),
  };
}

/** What is wrong with a copy of all closed recordings of a folder, byte for byte. */
function sameFiles(original: string, copy: string): string | undefined {
  const sums = (folder: string) =>
    new Map(
      readdirSync(folder).filter((name) => name.endsWith(".rrd"))
        .map((name) => [
          name,
          createHash("sha256").update(readFileSync(join(folder, name))).digest("hex"),
        ]),
    );
  const [sent, there] = [sums(original), sums(copy)];
  for (const name of new Set([...sent.keys(), ...there.keys()])) {
    if (sent.get(name) === there.get(name)) continue;
    return `${name} is ${there.has(name) ? "another one" : "not"} there`;
  }
  return undefined;
}

async function listening(port: number): Promise<void> {
  const { connect } = await import("node:net");
  const end = performance.now() + 30_000;
  const answers = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
  while (!await answers()) {
    if (performance.now() > end) throw new Error(`nobody listens at port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
