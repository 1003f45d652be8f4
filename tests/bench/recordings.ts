/** Streams that a real SDK sends, recorded once and kept beside the SDKs of the conformance tests. */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { run } from "../conformance/child.ts";
import { findPython } from "../conformance/python.ts";
import { cacheFolder, SdkCache } from "../conformance/sdk_cache.ts";
import type { Stream } from "./streams.ts";

/** The last SDK that speaks TCP. */
const SDK = "0.22.1";

/** Recording the largest takes the SDK half a minute, in milliseconds. */
const DEADLINE_MS = 240_000;

const WORKLOAD = fileURLToPath(new URL("workload.py", import.meta.url));

/** Workloads by name, and how often each logs: 100,000 scalars are 200,002 packets of 2.5 KB. */
export const WORKLOADS = { small: 100_000, images: 300, points: 200 } as const;

/** Name of a workload. */
export type Workload = keyof typeof WORKLOADS;

/**
 * The stream of a workload: from the folder, or recorded into it.
 *
 * @param name of the workload
 * @param folder where `NAME.0.bin` stands or will
 */
export async function recording(name: Workload, folder = defaultFolder()): Promise<Stream> {
  const path = join(folder, `${name}.0.bin`);
  const there = await stat(path).then(({ size }) => size > 0, () => false);
  if (!there) {
    console.log(`recording ${name} with SDK ${SDK} into ${folder} (once)`);
    await mkdir(folder, { recursive: true });
    await record(name, path);
  }
  const bytes = await readFile(path);
  return { name, path, bytes: bytes.length, messages: countPackets(bytes) };
}

function defaultFolder(): string {
  return process.env.RERELAY_STREAMS ?? join(cacheFolder(), "..", "streams");
}

async function record(name: Workload, path: string): Promise<void> {
  const sdk = await new SdkCache(cacheFolder(), await findPython()).get(SDK);
  const making = `${path}.${process.pid}`;
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const saved = once(server, "connection").then(([socket]) =>
    pipeline(socket, createWriteStream(making))
  );
  try {
    // Each row a packet of its own, as from a program that logs now and then.
    const env = { ...sdk.env, RERUN_FLUSH_NUM_ROWS: "0" };
    const args = [WORKLOAD, String(port), name, String(WORKLOADS[name])];
    await run([sdk.python, ...args], { ms: DEADLINE_MS, env });
    await saved;
    await rename(making, path);
  } finally {
    server.close();
    await rm(making, { force: true });
  }
}

/** Each packet of these SDKs holds one message. */
function countPackets(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const handshakeBytes = 7;
  let packets = 0;
  for (let at = handshakeBytes; at < bytes.length; packets++) at += 4 + view.getUint32(at, true);
  return packets;
}
