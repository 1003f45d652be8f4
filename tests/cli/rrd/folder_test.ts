import { describe, it } from "node:test";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { loadFileAdapter } from "../../../lib/adapters/load.ts";
import { GivenFiles } from "../../../lib/cli/host/given_files.ts";
import { recordingsIn } from "../../../lib/cli/rrd/folder.ts";
import { fixture } from "../../fixtures.ts";
import { runHere } from "../../fuzz/verify_cases.ts";
import { keptLog } from "../../sinks/messages.ts";
import { inFolder } from "../cli_process.ts";

const GOOD = fixture("encodings/0.22.1-mixed-msgpack-off.rrd");
const test = process.platform === "win32" ? it.skip : it;

function shell(script: string, folder: string): void {
  const { status, stderr } = spawnSync("sh", ["-c", script], { cwd: folder, encoding: "utf8" });
  assertEquals([status, stderr], [0, ""]);
}

/** Folders in folders until their path is too long for the system, which root can't read either. */
async function inFolderWithUnread(run: (folder: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const deep = (first: string) => join(first, ...Array<string>(9).fill("n".repeat(250)));
    for (const name of ["one", "two"]) mkdirSync(join(folder, deep(name)), { recursive: true });
    renameSync(join(folder, "two"), join(folder, deep("one"), "two"));
    for (const path of ["a.rrd", "b.rrd"]) writeFileSync(join(folder, path), GOOD);
    try {
      await run(folder);
    } finally {
      shell("rm -rf one", folder);
    }
  });
}

describe("a folder of recordings", () => {
  test("has those that can be read, and says which folder in it can't", () =>
    inFolderWithUnread(async (folder) => {
      const { files, unread } = await recordingsIn(folder);
      assertEquals(files, [join(folder, "a.rrd"), join(folder, "b.rrd")]);
      assertEquals(unread.map(({ why }) => why), ["the name is too long"]);
      const { code, text } = await runHere(["verify", folder]);
      assertEquals(code, 1);
      assertStringIncludes(text, "2 good, 1 bad");
      const log = keptLog();
      let now = 0;
      const given = await GivenFiles.open([folder], await loadFileAdapter(), log, () => now);
      // The page asks again and again, which must not fill the log with the same line.
      for (; now < 100_000; now += 10_000) {
        assertEquals((await given.list()).map(({ name }) => name), ["a.rrd", "b.rrd"]);
      }
      assertEquals(log.of("warn").map((text) => text.includes("Can't look into")), [true]);
      // Once it can be read, and can't again, that is told again.
      shell("mv one hidden && mkdir one", folder);
      now += 10_000;
      await given.list();
      assertEquals(log.of("warn").length, 2);
      shell("rmdir one && mv hidden one", folder);
      now += 10_000;
      await given.list();
      assertEquals(log.of("warn").length, 3);
    }));

  test("says of names that are not UTF-8 that they can't be opened, and not that they are bad", () =>
    inFolder(async (folder) => {
      // Some systems, such as that of Macs, take no such name.
      if (spawnSync("sh", ["-c", "mkdir \"$(printf 'sub\\377')\""], { cwd: folder }).status !== 0) {
        return;
      }
      shell("touch \"$(printf 'a\\377.rrd')\" \"$(printf 'note\\377.txt')\"", folder);
      // A name that has this character itself.
      for (const name of ["b.rrd", "c\uFFFD.rrd"]) writeFileSync(join(folder, name), GOOD);
      const { code, text } = await runHere(["verify", folder]);
      assertEquals(code, 1);
      assertStringIncludes(text, "2 good, 0 bad; 2 names not UTF-8 and not looked at");
      const why = "its name is not UTF-8, so that this program can't open it: rename it";
      for (const name of ["a\uFFFD.rrd", "sub\uFFFD"]) {
        assertStringIncludes(text, `error: ${join(folder, name)}: ${why}`);
      }
      const log = keptLog();
      const given = await GivenFiles.open([folder], await loadFileAdapter(), log);
      assertEquals((await given.list()).map(({ name }) => name), ["b.rrd", "c\uFFFD.rrd"]);
      assertEquals(log.of("warn").filter((text) => text.endsWith(why)).length, 2);
      for (const command of ["verify", "stats"]) {
        const { code, text } = await runHere([command, join(folder, "a\uFFFD.rrd")]);
        assertEquals([code, text.includes(why)], [1, true]);
      }
    }));

  test("has no pipes, which would keep readers waiting", () =>
    inFolder(async (folder) => {
      mkdirSync(join(folder, "sub.rrd"));
      writeFileSync(join(folder, "a.rrd"), GOOD);
      shell("mkfifo pipe.rrd sub.rrd/pipe.rrd.part", folder);
      symlinkSync("pipe.rrd", join(folder, "link.rrd"));
      symlinkSync("nowhere", join(folder, "lost.rrd"));
      symlinkSync("a.rrd", join(folder, "same.rrd"));
      const { files, unfinished } = await recordingsIn(folder);
      const names = files.map((path) => path.slice(folder.length + 1));
      assertEquals([names, unfinished], [["a.rrd", "lost.rrd", "same.rrd"], 0]);
    }));
});
