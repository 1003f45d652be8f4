/**
 * The live viewers of real Rerun: its CLI reads the WebSocket of the command line after a capture
 * was replayed to it, and must write the file that it writes from its own version's server.
 */
import { Buffer } from "node:buffer";
import { existsSync } from "node:fs";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { checkPrints } from "./checks.ts";
import { Child, within } from "./child.ts";
import { Cli, type Runtime } from "./cli_process.ts";
import { cutConnection } from "./cutter.ts";
import type { Passed } from "./scenarios.ts";
import type { Sdk } from "./sdk_cache.ts";
import { freePorts } from "../free_ports.ts";

/** What is replayed, by the version whose SDK sent it and whose CLI reads it. */
export const VIEWED: Readonly<Record<string, readonly string[]>> = {
  "0.16.1": ["mixed", "blueprint"],
  "0.18.2": ["mixed"],
  "0.20.3": ["mixed"],
  "0.22.1": ["mixed", "blueprint"],
};

/** Starting Rerun's CLI, in milliseconds. */
const START_MS = 60_000;

/** What has come once all is there that must come is too much: it has so much time. */
const STILL_MS = 500;

const LIVE_ARGS = ["--serve-web", "--ws-server-port", "0", "--web-viewer-port", "0"];
const FIXTURES = new URL("../fixtures/", import.meta.url);

/**
 * Replays captures to the command line and to Rerun's own server, and compares what Rerun's CLI
 * reads from both.
 *
 * @throws if anything is not as it must be
 */
export async function playViewers(sdk: Sdk, runtime: Runtime, folder: string): Promise<Passed> {
  await mkdir(folder, { recursive: true });
  let packets = 0;
  let bytes = 0;
  for (const name of VIEWED[sdk.version]!) {
    const capture = `${sdk.version}-${name}`;
    const sent = await readFile(new URL(`captures/${capture}.bin`, FIXTURES));
    const { messages } = cutConnection(sent);
    await using cli = await Cli.start(runtime, LIVE_ARGS);
    const [, port] = await cli.child.waitFor(/WebSocket server at ws:\/\/\S+:(\d+)\./, START_MS);
    await replay(cli.port, sent);
    await cli.child.waitFor(new RegExp(`left: ${messages.length} messages`), START_MS);
    const path = join(folder, `${capture}.ours.rrd`);
    const ours = await readBack(sdk, Number(port), path, messages.length);
    const theirs = await expected(sdk, capture, sent, folder, messages.length);
    await cli.stop();
    const [complaint] = cli.complaints([]);
    if (complaint) throw new Error(`the CLI says: ${complaint}`);
    if (!same(withoutEnd(ours), withoutEnd(theirs))) {
      throw new Error(`${capture} is read otherwise than from Rerun's own server`);
    }
    await checkPrints(sdk, path, messages.length);
    packets += messages.length;
    bytes += sent.length;
  }
  return { packets, bytes };
}

/** CLIs that read what SDKs of all versions log; 0.22.1 stops at Arrow data of 0.16 and before. */
export const READERS = ["0.16.1", "0.17.0", "0.18.2", "0.19.1", "0.20.3", "0.21.0", "0.22.1"];
const OLD = ["0.9.1-scalars", "0.15.1-mixed", "0.16.1-mixed"];
const CHUNKS = ["0.17.0", "0.18.2", "0.19.1", "0.20.3", "0.21.0", "0.22.1"].map((v) =>
  `${v}-mixed`
);

/**
 * Lets Rerun's CLI read what SDKs of other versions logged: nothing may be missing, nor be complained
 * about.
 *
 * @throws if anything is not as it must be
 */
export async function playAllVersions(sdk: Sdk, runtime: Runtime, folder: string): Promise<Passed> {
  await mkdir(folder, { recursive: true });
  await using cli = await Cli.start(runtime, LIVE_ARGS);
  const [, port] = await cli.child.waitFor(/WebSocket server at ws:\/\/\S+:(\d+)\./, START_MS);
  let packets = 0;
  let bytes = 0;
  const captures = sdk.version === "0.22.1" ? CHUNKS : [...OLD, ...CHUNKS];
  for (const capture of captures) {
    const sent = await readFile(new URL(`captures/${capture}.bin`, FIXTURES));
    await replay(cli.port, sent);
    packets += cutConnection(sent).messages.length;
    bytes += sent.length;
  }
  await status(cli, "all to be received", (status) => status.messages >= packets);
  const file = await readBack(sdk, Number(port), join(folder, "all.rrd"), packets);
  await cli.stop();
  const { items, error } = new RrdDecoder().push(withoutEnd(file));
  if (error !== undefined) throw error;
  if (items.length !== packets) throw new Error(`${items.length} of ${packets} messages were read`);
  return { packets, bytes };
}

/** Taken down once for 0.22.1; for others Rerun's server is asked now. */
async function expected(
  sdk: Sdk,
  capture: string,
  sent: Uint8Array,
  folder: string,
  messages: number,
): Promise<Uint8Array> {
  const known = fileURLToPath(new URL(`viewers/${capture}.readback.rrd`, FIXTURES));
  if (existsSync(known)) return await readFile(known);
  const [port, socket, page] = await freePorts(3);
  const ports = ["--port", port, "--ws-server-port", socket, "--web-viewer-port", page].map(String);
  const serve = Number(sdk.version.split(".")[1]) < 20 ? "--serve" : "--serve-web";
  await using server = new Child([...sdk.rerun, serve, "--bind", "127.0.0.1", ...ports], {
    env: { ...sdk.env, RUST_LOG: "info" },
    cwd: folder,
  });
  await listening(port!);
  await listening(socket!);
  await replay(port!, sent);
  const file = await readBack(sdk, socket!, join(folder, `${capture}.theirs.rrd`), messages);
  server.kill("SIGTERM");
  return file;
}

/** What Rerun's CLI writes of a WebSocket server that has so many messages. */
async function readBack(
  sdk: Sdk,
  socket: number,
  path: string,
  messages: number,
): Promise<Uint8Array> {
  const [port] = await freePorts(1);
  const args = ["--bind", "127.0.0.1", "--port", String(port), "--save", path];
  const command = [...sdk.rerun, `ws://127.0.0.1:${socket}`, ...args];
  await using reader = new Child(command, { env: { ...sdk.env, RUST_LOG: "info" } });
  try {
    await within(START_MS, `${path} to be written`, holds(path, messages, reader));
  } catch (error) {
    await writeFile(`${path}.log`, reader.stderr);
    throw error;
  }
  const complaint = /^.*\b(ERROR|WARN)\b.*$/m.exec(reader.stderr);
  if (complaint) throw new Error(`Rerun's CLI says: ${complaint[0].slice(0, 400)}`);
  return await readFile(path);
}

/**
 * Resolves when a file holds so many messages and grows no more: the CLI that writes it reads a socket
 * that never ends, and may stand still in the midst of it.
 */
export async function holds(path: string, messages: number, writer: Child): Promise<void> {
  let ended = false;
  writer.ended.then(() => ended = true, () => ended = true);
  let [size, found, since] = [0, 0, 0];
  while (!ended) {
    await delay(50);
    const now = await stat(path).then(({ size }) => size, () => 0);
    if (now !== size) since = performance.now();
    else if (found < messages && now > 0) found = messagesIn(await readFile(path));
    else if (found >= messages && performance.now() - since > STILL_MS) return;
    if (now !== size) found = 0;
    size = now;
  }
  throw new Error(`Rerun's CLI ended early: ${writer.stderr.slice(-400)}`);
}

/** Those that are whole. */
function messagesIn(file: Uint8Array): number {
  return new RrdDecoder().push(withoutEnd(file)).items.length;
}

/** What a server says of itself that is looked at here. */
interface Status {
  readonly messages: number;
  readonly bytes: number;
  readonly hub: { readonly viewers: readonly { readonly sent: { readonly messages: number } }[] };
}

/**
 * Asks a server until it says what is waited for.
 *
 * @param what is waited for, in words
 * @throws if that does not come
 */
export function status(
  cli: Cli,
  what: string,
  isSo: (status: Status) => boolean,
): Promise<Status> {
  const asked = async () => {
    for (;;) {
      const status = await (await fetch(`http://127.0.0.1:${cli.port}/status`)).json() as Status;
      if (isSo(status)) return status;
      await delay(50);
    }
  };
  return within(START_MS, what, asked());
}

/** Resolves when there are so many viewers, and each was given all there is. */
export function given(cli: Cli, viewers: number): Promise<Status> {
  return status(
    cli,
    `${viewers} viewers to be given all`,
    ({ messages, hub }) =>
      hub.viewers.length === viewers && hub.viewers.every(({ sent }) => sent.messages === messages),
  );
}

function replay(port: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.end(bytes));
    socket.once("error", reject).once("close", () => resolve()).resume();
  });
}

async function listening(port: number): Promise<void> {
  const end = performance.now() + START_MS;
  while (performance.now() < end) {
    const connected = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => resolve(false));
    });
    if (connected) return;
    await delay(50);
  }
  throw new Error(`nothing listens on port ${port}`);
}

/** Some versions write the end marker, if they are ended in time. */
function withoutEnd(file: Uint8Array): Uint8Array {
  const marked = file.length > 20 && file.subarray(-8).every((byte) => byte === 0);
  return marked ? file.subarray(0, -8) : file;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
