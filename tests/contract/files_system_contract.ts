/** What the {@linkcode FileAdapter}s that use the system's files keep to besides. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, it } from "node:test";
import type { FileAdapter } from "../../lib/adapters/files/types.ts";
import { FileExists, FileTooLarge } from "../../lib/base/errors.ts";
import { writeFile } from "../../lib/adapters/files/_write_file.ts";
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

  it("follows links, to what is not there yet as well", { skip: onWindows }, async () => {
    const [target, one, two, round] = ["real_target", "link_one", "link_two", "link_round"]
      .map((name) => folder.path(name)) as [string, string, string, string];
    symlinkSync("real_target", one);
    symlinkSync(one, two);
    symlinkSync("link_round", round);
    assertEquals(await files.realPath(two), target);
    await (await files.create(target, "new")).close();
    assertEquals(await files.realPath(two), realpathSync(target));
    assertEquals(await files.realPath(round), round);
    assertEquals(await files.realPath("/dev/null"), "/dev/null");
  });

  it("makes folders, and tells how much is free in one", async () => {
    const inner = join(folder.path("outer"), "inner");
    await files.makeFolder(inner);
    await files.makeFolder(inner);
    assertEquals(await files.list(inner), []);
    assert((await files.freeBytes(inner))! > 0);
    assertEquals(await files.freeBytes(folder.path("no_such_folder")), undefined);
  });

  it("says so when a file may not grow, and how much it took", async () => {
    const texts = ["EFBIG: file too large, write", "File too large (os error 27)"];
    for (const text of texts) {
      const error = Object.assign(new Error(text), text.startsWith("E") ? { code: "EFBIG" } : {});
      let count = 0;
      const write = () => count++ === 0 ? Promise.resolve(3) : Promise.reject(error);
      const thrown = await assertRejects(
        () => writeFile("a", new Uint8Array(9), write),
        FileTooLarge,
      );
      assertEquals([thrown.writtenBytes, thrown.path], [3, "a"]);
    }
    const full = new Error("No space left on device (os error 28)");
    const write = () => Promise.reject(full);
    const thrown = await assertRejects(() => writeFile("a", new Uint8Array(9), write), Error);
    assertEquals(thrown, full);
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
  it("names and closes a folder, which can't be read", { skip: noProc }, async () => {
    // In a folder of its own: other tests of this process have files open, too.
    const path = mkdtempSync(join(tmpdir(), "rerelay-unread-"));
    for (let i = 0; i < 3; i++) {
      const error = await assertRejects(() => files.open(path), Error, `${path} is a folder`);
      assertEquals((error as { code?: string }).code, "EISDIR");
    }
    assertEquals(openPaths().filter((open) => open.startsWith(path)), []);
    rmdirSync(path);
  });

  it("reads at any place only of files, and waits for no pipe", { skip: onWindows }, async () => {
    const path = folder.path("pipe_to_read");
    execFileSync("mkfifo", [path]);
    await assertRejects(() => files.openAt(path), Error, `${path} is a pipe or a device`);
    const error = await assertRejects(() => files.openAt(tmpdir()), Error, "is a folder");
    assertEquals((error as { code?: string }).code, "EISDIR");
  });

  it("tells a folder from another that gets its name", { skip: onWindows }, async () => {
    const path = mkdtempSync(join(tmpdir(), "rerelay-home-"));
    const [inside, away] = [join(path, "rec"), join(path, "away")];
    mkdirSync(inside);
    const before = await files.identity!(`${inside}/`);
    assert(before !== undefined);
    renameSync(inside, away);
    await assertRejects(() => files.identity!(inside), Error);
    mkdirSync(inside);
    symlinkSync(away, join(path, "link"));
    assert(await files.identity!(inside) !== before);
    for (const name of ["away", "link"]) {
      assertEquals(await files.identity!(join(path, name)), before);
    }
    assertEquals(await files.identity!(""), await files.identity!(process.cwd()));
    rmSync(path, { recursive: true });
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
