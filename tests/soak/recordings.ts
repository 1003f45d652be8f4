/**
 * Sends ever new recording ids, of ever new applications and timelines, to the command line that
 * saves them, and looks at its memory:
 *
 *     deno run -A tests/soak/recordings.ts [1000000]
 *     bun tests/soak/recordings.ts [1000000]
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { open, send, startCli } from "../cli/cli_process.ts";
import {
  arrowMsg,
  concat,
  Entries,
  framed,
  HELLO,
  rrdHeader,
  rrdMessage,
  setStoreInfo,
  storeInfoFields,
} from "../encoding/rrd_builder.ts";

const count = Number(process.argv[2] ?? 1_000_000);
const BATCH = 1000;

/** A recording that is announced, and one that is not, with a timeline of its own. */
function packets(i: number): Uint8Array[] {
  const id = `recording ${i}`;
  const info = {
    ...storeInfoFields(),
    application_id: `application ${i}`,
    store_id: { kind: "Recording", id },
  };
  const timeline = new Entries([[
    new Entries([["name", `timeline ${i}`], ["typ", "Sequence"]]),
    i,
  ]]);
  return [setStoreInfo(info), arrowMsg(timeline, { id: `${id} too` })].map((payload) =>
    framed(concat(rrdHeader(), rrdMessage(payload)))
  );
}

const folder = mkdtempSync(join(tmpdir(), "rerelay-soak-"));
const { cli, port } = await startCli(
  ["--quiet", "--save", join(folder, "a.rrd"), "--drop-at-latency", "10s"],
  { deadlineMs: 3_600_000 },
);
const residentMiB = () =>
  Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${cli.child.pid}/status`, "utf8"))![1]) / 1024;
console.log(`${detectRuntime()}, ${count} recordings`);
const socket = await open(port);
await send(socket, HELLO);
const start = performance.now();
for (let done = 0; done < count; done += BATCH) {
  await send(socket, concat(...Array.from({ length: BATCH }, (_, i) => packets(done + i)).flat()));
  if ((done + BATCH) % 100_000 === 0) {
    const sec = ((performance.now() - start) / 1000).toFixed(0);
    console.log(`${done + BATCH} in ${sec} s: ${residentMiB().toFixed(0)} MiB`);
  }
}
socket.end();
socket.resume();
await new Promise((resolve) => socket.once("close", resolve));
cli.signal("SIGTERM");
const { code, stderr } = await cli.ended;
rmSync(folder, { recursive: true });
console.log(stderr.trim().split("\n").slice(-3).join("\n"));
process.exit(code!);
