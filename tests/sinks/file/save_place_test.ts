import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { loadFileAdapter } from "../../../lib/adapters/load.ts";
import type { ProcessAdapter } from "../../../lib/adapters/process/types.ts";
import { FileExists, SaveLocked } from "../../../lib/base/errors.ts";
import { rrdFileSink } from "../../../lib/sinks/file/rrd_file.ts";
import { inFolder } from "../../cli/cli_process.ts";
import { msgpackMessage } from "../messages.ts";

/** Two programs that run. */
const processes = (pid: number): ProcessAdapter => ({
  pid,
  identity: (pid) => Promise.resolve(`${pid} 1`),
});

async function open(pid: number, path: string, force = false) {
  return await rrdFileSink({
    path,
    force,
    files: await loadFileAdapter(),
    processes: processes(pid),
  });
}

describe("rrdFileSink through links", () => {
  it("locks and writes the file that a link leads to, which stays a link", () =>
    inFolder(async (folder) => {
      const [target, link, other] = ["target.rrd", "link.rrd", "other.rrd"]
        .map((name) => join(folder, name)) as [string, string, string];
      symlinkSync("target.rrd", link);
      symlinkSync(link, other);
      const first = await open(7, link);
      for (const path of [link, other, target]) {
        for (const force of [false, true]) {
          await assertRejects(() => open(8, path, force), SaveLocked);
        }
      }
      await first.write([msgpackMessage(1)]);
      await first.close();
      assertEquals(first.kept.messages, 1);
      assert(lstatSync(link).isSymbolicLink() && lstatSync(target).isFile());
      await assertRejects(() => open(8, other), FileExists);
      const second = await open(8, other, true);
      await second.write([msgpackMessage(1), msgpackMessage(1)]);
      await second.close();
      assertEquals(readFileSync(target).length, 12 + 9 + 9 + 8);
      assert(lstatSync(link).isSymbolicLink() && lstatSync(other).isSymbolicLink());
      const names = ["link.rrd", "other.rrd", "target.rrd", "target.rrd.index.jsonl"];
      assertEquals(readdirSync(folder).sort(), names);
    }));

  it("keeps two out of one folder that has two names", () =>
    inFolder(async (folder) => {
      mkdirSync(join(folder, "real"));
      symlinkSync("real", join(folder, "link"));
      const first = await open(7, join(folder, "real", "{part}.rrd"));
      await assertRejects(() => open(8, join(folder, "link", "{part}.rrd")), SaveLocked);
      await first.close();
    }));
});

describe("rrdFileSink and its folder", () => {
  it("makes what is missing of it", () =>
    inFolder(async (folder) => {
      for (const name of ["a.rrd", "{part}.rrd"]) {
        const sink = await open(7, join(folder, name[0]!, "b", name));
        await sink.write([msgpackMessage(1)]);
        await sink.close();
        assertEquals(sink.saved.length, 1);
        assert(existsSync(sink.saved[0]!.path));
      }
      writeFileSync(join(folder, "file"), "");
      await assertRejects(() => open(7, join(folder, "file", "a.rrd")), Error);
    }));
});
