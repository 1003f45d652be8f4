import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { NotAFile } from "../../../../lib/adapters/files/only_files.ts";
import { memoryFiles } from "../../../../lib/adapters/files/memory_files.ts";
import { nodeProcesses } from "../../../../lib/adapters/process/node_processes.ts";
import type { ProcessAdapter } from "../../../../lib/adapters/process/types.ts";
import { SaveLocked } from "../../../../lib/base/errors.ts";
import {
  holderOf,
  LOCK_SUFFIX,
  lockSaving,
  noteRunning,
} from "../../../../lib/sinks/file/parts/save_lock.ts";
import { rrdFileSink } from "../../../../lib/sinks/file/rrd_file.ts";
import { besidesIndex, keptLog, msgpackMessage } from "../../messages.ts";

/** Processes of a machine: the ids that run, each with when it started. */
function machine(pid: number, running: Record<number, number>): ProcessAdapter {
  const identity = (pid: number) =>
    Promise.resolve(running[pid] === undefined ? undefined : `${pid} ${running[pid]}`);
  return { pid, identity };
}

async function put(files: ReturnType<typeof memoryFiles>, path: string, bytes: Uint8Array) {
  await (await files.create(path, "new")).write(bytes);
}

describe("rrdFileSink and other programs", () => {
  it("says what is in the way of its lock, and leaves it where it is", async () => {
    const folder = mkdtempSync(join(tmpdir(), "rerelay-lock-"));
    try {
      for (const pattern of ["a.rrd", "{part}.rrd"]) {
        const lock = join(folder, `${pattern}.lock`);
        for (const inside of [[], ["mine"]]) {
          mkdirSync(lock);
          for (const name of inside) writeFileSync(join(lock, name), "mine");
          const open = () => rrdFileSink({ path: join(folder, pattern) });
          await assertRejects(open, NotAFile, `${lock} is no file, but a folder`);
          assertEquals([readdirSync(folder), readdirSync(lock)], [[`${pattern}.lock`], inside]);
          rmSync(lock, { recursive: true });
        }
      }
      // The note of a program that drains has a name like this.
      const note = `{part}.rrd.draining-7${LOCK_SUFFIX}`;
      mkdirSync(join(folder, note));
      await (await rrdFileSink({ path: join(folder, "{part}.rrd") })).close();
      assertEquals(readdirSync(folder), [note]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("refuses a name under which another one saves, and says which", async () => {
    const files = memoryFiles();
    const running = { 7: 1, 8: 1 };
    const open = (pid: number, path = "a.rrd", force = false) =>
      rrdFileSink({ path, force, files, processes: machine(pid, running) });
    const first = await open(7);
    await first.write([msgpackMessage(1)]);
    const error = await assertRejects(() => open(8), SaveLocked);
    assertEquals([error.pid, error.path], [7, "a.rrd.lock"]);
    await assertRejects(() => open(7, "a.rrd", true), SaveLocked);
    const other = await open(8, "b.rrd");
    await Promise.all([first.close(), other.close()]);
    assertEquals(besidesIndex(files), ["a.rrd", "b.rrd"]);
    assertEquals(first.kept.messages, 1);
  });

  it("takes over from one that is gone, also where its id is in use again", async () => {
    const ends: Record<number, number>[] = [{ 8: 1 }, { 7: 2, 8: 1 }];
    for (const later of ends) {
      const files = memoryFiles();
      await rrdFileSink({ path: "a.rrd", files, processes: machine(7, { 7: 1 }) });
      const next = await rrdFileSink({
        path: "a.rrd",
        force: true,
        files,
        processes: machine(8, later),
      });
      await next.close();
      assertEquals(besidesIndex(files), ["a.rrd"]);
    }
  });

  it("sees by the kernel's locks who runs, where it may not ask", async () => {
    // A machine on which nobody may ask: identities of others are unknown.
    const held = new Map<string, number>();
    const unseen = (pid: number): ProcessAdapter => ({
      pid,
      identity: (asked) => Promise.resolve(asked === pid ? `${pid} ~1` : undefined),
      isUnseen: (identity) => identity.includes("~"),
      hold(path) {
        held.set(path, pid);
        return Promise.resolve(() => Promise.resolve(void held.delete(path)));
      },
      isHeld: (path) => Promise.resolve(held.has(path)),
    });
    const files = memoryFiles();
    const open = (processes: ProcessAdapter) =>
      rrdFileSink({ path: "a.rrd", force: true, files, processes });
    const first = await open(unseen(7));
    const seeing = { ...unseen(9), identity: machine(9, { 9: 1 }).identity };
    for (const processes of [unseen(8), seeing]) {
      await assertRejects(() => open(processes), SaveLocked);
    }
    // It was killed.
    held.clear();
    const next = await open(unseen(8));
    await next.close();
    assertEquals([held.size, besidesIndex(files)], [0, ["a.rrd"]]);
    void first;
  });

  it("holds locks and notes before others can read whose they are", async () => {
    const files = memoryFiles();
    const seen: (string | undefined)[] = [];
    const processes: ProcessAdapter = {
      ...machine(7, { 7: 1 }),
      async hold(path) {
        seen.push(await holderOf(path, files));
        return () => Promise.resolve();
      },
    };
    const releases = [
      await lockSaving("a.rrd", files, processes),
      await noteRunning("b.draining-7.lock", files, processes),
    ];
    assertEquals(seen, ["", ""]);
    for (const path of ["a.rrd.lock", "b.draining-7.lock"]) {
      assertEquals(await holderOf(path, files), "7 1");
    }
    for (const release of releases) await release();
    assertEquals(besidesIndex(files), []);
  });

  it("asks the kernel nothing about those that it sees", async () => {
    const files = memoryFiles();
    const blind = { isUnseen: () => false, isHeld: () => Promise.resolve(true) };
    await rrdFileSink({ path: "a.rrd", files, processes: machine(7, { 7: 1 }) });
    const processes = { ...machine(8, { 8: 1 }), ...blind };
    const next = await rrdFileSink({ path: "a.rrd", force: true, files, processes });
    await next.close();
    assertEquals(besidesIndex(files), ["a.rrd"]);
  });

  it("says why it can't take over, where the folder is read-only", async () => {
    const files = memoryFiles(({ kind, path }) => {
      if (kind === "rename" && path.endsWith(".lock")) throw new Error("EROFS");
    });
    const open = (pid: number) =>
      rrdFileSink({ path: "{part}.rrd", files, processes: machine(pid, { 8: 1 }) });
    await open(7);
    await assertRejects(() => open(8), Error, "EROFS");
  });

  it("leaves no lock where the disk is too full to write one", async () => {
    const files = memoryFiles(({ kind, path }) => {
      if (kind === "write" && path.endsWith(".lock")) throw new Error("ENOSPC");
    });
    const processes = machine(7, { 7: 1 });
    await assertRejects(() => rrdFileSink({ path: "a.rrd", files, processes }), Error, "ENOSPC");
    assertEquals(files.paths, []);
  });

  it("leaves its files to one that still writes them, though somebody removed its lock", async () => {
    const files = memoryFiles();
    const log = keptLog();
    const running: Record<number, number> = { 7: 1, 8: 1, 9: 1 };
    const rotation = { maxBytes: 50 };
    const open = (pid: number) =>
      rrdFileSink({
        ...{ path: "x-{part}.rrd", files, log, rotation, processes: machine(pid, running) },
      });
    const first = await open(7);
    await first.write([msgpackMessage(9)]);
    await files.remove("x-{part}.rrd.lock");
    const second = await open(8);
    await second.recovered;
    assertEquals(log.of("warn"), [
      "Process 7 still saves under x-{part}.rrd, though its lock is gone: its files are left to it",
    ]);
    await second.write([msgpackMessage(9)]);
    await first.write([msgpackMessage(9)]);
    await first.close();
    assertEquals([first.kept.messages, first.lost.messages], [2, 0]);
    // The lock is the second one's, which goes on.
    await assertRejects(() => open(9), SaveLocked);
    await second.close();
    assertEquals(second.kept.messages, 1);
    assertEquals(besidesIndex(files).filter((path) => !path.endsWith(".rrd")), []);
    assertEquals(log.of("error"), []);
  });

  it("takes over what is no lock at all", async () => {
    const files = memoryFiles();
    await put(files, "a.rrd.lock", new TextEncoder().encode("?"));
    const sink = await rrdFileSink({ path: "a.rrd", files, processes: machine(7, { 7: 1 }) });
    await sink.close();
    assertEquals(besidesIndex(files), ["a.rrd"]);
  });

  it("does not finish what another one is writing under another pattern", async () => {
    const files = memoryFiles();
    const running: Record<number, number> = { 7: 1, 8: 1 };
    const open = (path: string, pid: number) =>
      rrdFileSink({ path, files, processes: machine(pid, running) });
    const first = await open("x-{recording_id}.rrd", 8);
    await first.write([msgpackMessage(1)]);
    const written = files.paths.filter((path) => path.endsWith(".part"));
    assertEquals(written.length, 1);
    // Whether it runs or not: the other pattern's index does not name it.
    for (const runs of [true, false]) {
      if (!runs) delete running[8];
      await (await open("x-{part}.rrd", 7)).close();
      assertEquals(files.paths.filter((path) => path.endsWith(".part")), written);
    }
    await first.close();
  });

  it("gives the name back where nothing could be opened", async () => {
    let full = true;
    const files = memoryFiles(({ kind, path }) => {
      if (full && kind === "create" && path.endsWith(".part")) throw new Error("EACCES");
    });
    const open = () => rrdFileSink({ path: "a.rrd", files, processes: machine(7, { 7: 1 }) });
    await assertRejects(open, Error, "EACCES");
    assertEquals(besidesIndex(files), []);
    full = false;
    await (await open()).close();
  });
});

describe("nodeProcesses", () => {
  it("tells running processes from others", async () => {
    assertEquals(nodeProcesses.pid, process.pid);
    const own = await nodeProcesses.identity(process.pid);
    assertEquals(own, await nodeProcesses.identity(process.pid));
    assertEquals(own?.startsWith(`${process.pid}`), true);
    assertEquals(await nodeProcesses.identity(2 ** 22 + 12345), undefined);
  });

  it("takes one that was killed for gone, though its parent never asked how it ended", {
    skip: process.platform !== "linux" && "asks /proc",
    timeout: 20_000,
  }, async () => {
    // The shell becomes a program that waits for no children.
    const parent = spawn("sh", ["-c", "sleep 60 & echo $!; exec sleep 60"]);
    try {
      const [said] = await once(parent.stdout, "data");
      const pid = Number(`${said}`);
      const identity = await nodeProcesses.identity(pid);
      assertEquals(identity?.startsWith(`${pid} `), true);
      process.kill(pid, "SIGKILL");
      const state = () => readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) (.).*$/s, "$1");
      while (state() !== "Z") await new Promise((resolve) => setTimeout(resolve, 2));
      assertEquals(await nodeProcesses.identity(pid), undefined);
      assertEquals(state(), "Z", "its number is still there");
    } finally {
      parent.kill("SIGKILL");
    }
  });
});
