import { after, describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { loadFileAdapter } from "../../lib/adapters/load.ts";
import { takeOverPlace, unkeptText } from "../../lib/adapters/files/in_place.ts";
import { memoryFiles } from "../../lib/adapters/files/memory_files.ts";

const onWindows = process.platform === "win32" && "has other rights";

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "rerelay-place-"));
  after(() => rmSync(folder, { recursive: true }));
  return folder;
}

describe("a file that is written in place of another", () => {
  it("has its rights before anything is in it", { skip: onWindows }, async () => {
    const files = await loadFileAdapter();
    const folder = temporary();
    const [old, path] = [join(folder, "a.rrd"), join(folder, "a.rrd.new")];
    for (const mode of [0o600, 0o640, 0o664, 0o444]) {
      rmSync(old, { force: true });
      writeFileSync(old, "a");
      chmodSync(old, mode);
      const file = await files.create(path, "new");
      assertEquals(await takeOverPlace(files, path, old), undefined);
      assertEquals(statSync(path).mode & 0o777, mode);
      await file.write(Uint8Array.of(1));
      await file.close();
      await files.rename(path, old);
      assertEquals([statSync(old).mode & 0o777, statSync(old).size], [mode, 1]);
    }
    assertEquals(readdirSync(folder), ["a.rrd"]);
  });

  it("is like any other where there is none, or nothing has rights", async () => {
    const real = await loadFileAdapter();
    const folder = temporary();
    assertEquals(await takeOverPlace(real, join(folder, "b"), join(folder, "none")), undefined);
    const files = memoryFiles();
    await files.create("a", "new");
    assertEquals(await takeOverPlace(files, "b", "a"), undefined);
  });

  it("says what it could not keep", () => {
    assertEquals(unkeptText("a.rrd", "group"), "a.rrd: only root can leave it its group");
    assertEquals(
      unkeptText("a.rrd", "rights"),
      "a.rrd: its file system did not leave it its rights",
    );
  });
});
