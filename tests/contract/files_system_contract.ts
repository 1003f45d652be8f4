/** What the {@linkcode FileAdapter}s that use the system's files keep to besides. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readlinkSync, rmdirSync, rmSync, symlinkSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, it } from "node:test";
import type { FileAdapter } from "../../lib/adapters/files/types.ts";
import { FileExists } from "../../lib/base/errors.ts";
import type { Folder } from "./files_contract.ts";

const onWindows = process.platform === "win32" && "needs a Unix";

/** A folder of the system's, gone after the tests. */
export function temporaryFolder(): Folder {
  const folder = mkdtempSync(join(tmpdir(), "rerelay-files-"));
  after(() => rmSync(folder, { recursive: true }));
  return {
    path: (name) => join(folder, name),
    read: async (path) => new Uint8Array(await readFile(path)),
  };
}

/** What this process has open, on Linux. */
export function openPaths(): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return []; // That of the folder itself is closed by now.
    }
  });
}

export function filesSystemContract(files: FileAdapter, folder: Folder): void {
  it("takes a link to nowhere for something that exists", { skip: onWindows }, async () => {
    const target = folder.path("target");
    const link = folder.path("link");
    symlinkSync(target, link);
    assertEquals(await files.kind(link), "other");
    await assertRejects(() => files.create(link, "new"), FileExists);
    assertEquals(await files.kind(target), undefined);
  });

  it("says what the system says of a folder that is not there", async () => {
    const path = join(folder.path("nowhere"), "file");
    const error = await assertRejects(() => files.create(path, "new"), Error);
    assert(!(error instanceof FileExists));
    assertEquals((error as { code?: string }).code, "ENOENT");
    assertEquals(await files.kind(path), undefined);
  });

  const noFull = process.platform !== "linux" && "needs Linux's /dev/full";
  it("says so when the disk is full", { skip: noFull }, async () => {
    assertEquals(await files.kind("/dev/full"), "other");
    const file = await files.create("/dev/full", "replace");
    const error = await assertRejects(() => file.write(Uint8Array.of(1)), Error);
    assertEquals((error as { code?: string }).code, "ENOSPC");
    await file.close();
  });
  const noProc = process.platform !== "linux" && "needs Linux's /proc";
  it("closes what can't be read", { skip: noProc }, async () => {
    // In a folder of its own: other tests of this process have files open, too.
    const path = mkdtempSync(join(tmpdir(), "rerelay-unread-"));
    for (let i = 0; i < 3; i++) {
      const reader = (await files.open(path)).getReader();
      const error = await assertRejects(() => reader.read(), Error);
      assertEquals((error as { code?: string }).code, "EISDIR");
    }
    assertEquals(openPaths().filter((open) => open.startsWith(path)), []);
    rmdirSync(path);
  });

  it("writes into a pipe, which has no positions", { skip: onWindows }, async () => {
    const path = folder.path("pipe");
    execFileSync("mkfifo", [path]);
    const got = readFile(path, "utf8");
    const file = await files.create(path, "replace");
    await file.write(new TextEncoder().encode("one, "));
    await file.write(new TextEncoder().encode("two"));
    await file.close();
    assertEquals(await got, "one, two");
  });
}
