import { after, describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { loadFileAdapter } from "../../../lib/adapters/load.ts";
import { rrdFileSink } from "../../../lib/sinks/file/rrd_file.ts";
import { CAPTURE, change, killed } from "../leftovers.ts";
import { concat, keptLog } from "../messages.ts";

const onWindows = process.platform === "win32" && "has other rights";
const PRIVATE = 0o600;
/** Only root can give files to others. */
const isRoot = process.getuid?.() === 0;
const OWNER = [1001, 2001] as const;

/** Holds all files against those that were there. */
function assertKept(folder: string, names: readonly string[]): void {
  for (const name of names) {
    const { mode, uid, gid } = statSync(join(folder, name));
    assertEquals((mode & 0o777).toString(8), "600", name);
    if (isRoot) assertEquals([uid, gid], [...OWNER], name);
  }
}

/** A folder with what a killed run left, which only its owner may read. */
async function leftBehind(how: (bytes: Uint8Array) => Uint8Array): Promise<string> {
  const left = await killed("{part}.rrd", CAPTURE, { rrdFormat: "current", sync: "always" });
  const part = left.paths.find((path) => path.endsWith(".part"))!;
  await change(left, part, how);
  const folder = mkdtempSync(join(tmpdir(), "rerelay-rights-"));
  after(() => rmSync(folder, { recursive: true }));
  for (const path of left.paths) {
    writeFileSync(join(folder, path), left.read(path)!);
    chmodSync(join(folder, path), PRIVATE);
    if (isRoot) chownSync(join(folder, path), ...OWNER);
  }
  return folder;
}

/** Starts where a run was killed, and gives the names of what is there then. */
async function started(folder: string): Promise<string[]> {
  const [log, files] = [keptLog(), await loadFileAdapter()];
  const path = join(folder, "{part}.rrd");
  const sink = await rrdFileSink({ path, log, files, rrdFormat: "current", chunkIndex: true });
  await sink.recovered;
  await sink.indexed;
  await sink.close();
  assertEquals(log.of("error"), []);
  return readdirSync(folder);
}

describe("saved files that are written anew", () => {
  it("stay private when they get their list of chunks", { skip: onWindows }, async () => {
    const folder = await leftBehind((bytes) => bytes.subarray(0, -50));
    const names = await started(folder);
    const file = readFileSync(join(folder, "0001.rrd"));
    assertEquals(file.toString("latin1", file.length - 12, file.length - 4), "RRF2FOOT");
    assertKept(folder, names);
  });

  it("stay private when what is whole of them is copied", { skip: onWindows }, async () => {
    const folder = await leftBehind((bytes) =>
      concat(bytes.subarray(0, 20_000), bytes.subarray(20_100))
    );
    const names = await started(folder);
    assert(names.some((name) => name.endsWith(".damaged")), names.join());
    assertKept(folder, names);
  });
});
