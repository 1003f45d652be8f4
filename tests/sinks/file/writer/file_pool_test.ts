import { describe, it } from "node:test";
import { setImmediate } from "node:timers";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type FileHook, memoryFiles } from "../../../../lib/adapters/files/memory_files.ts";
import { FileGone } from "../../../../lib/base/errors.ts";
import { FilePool, isOutOfDescriptors } from "../../../../lib/sinks/file/writer/file_pool.ts";

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Files in memory that count how many are open, of which the system gives so many. */
function counted(given = Infinity, hook: FileHook = () => {}) {
  const counts = { open: 0, most: 0, syncs: 0, limit: given };
  const files = memoryFiles((operation) => {
    const { kind } = operation;
    if (kind === "create") {
      if (counts.open >= counts.limit) {
        throw Object.assign(new Error("Too many open files"), { code: "EMFILE" });
      }
      counts.most = Math.max(counts.most, ++counts.open);
    }
    if (kind === "park" || kind === "close") counts.open--;
    if (kind === "sync") counts.syncs++;
    return hook(operation);
  });
  return { files, counts };
}

function pool(most: number, sync = true) {
  const told: number[] = [];
  let nowMs = 0;
  const options = { most, sync, now: () => nowMs, onTurns: (most: number) => told.push(most) };
  return { pool: new FilePool(options), told, pass: (ms: number) => void (nowMs += ms) };
}

const names = (count: number) => Array.from({ length: count }, (_, i) => `f${i}`);

describe("FilePool", () => {
  it("writes many files with few open, each on the disk before it is closed for a while", async () => {
    const { files, counts } = counted();
    const { pool: few, told } = pool(4);
    const all = await Promise.all(
      names(100).map((name) => few.open(() => files.create(name, "new"))),
    );
    for (let round = 0; round < 5; round++) {
      await Promise.all(all.map((file, i) => file.write(Uint8Array.of(round, i))));
      await Promise.all(all.map((file) => file.sync()));
      for (const name of names(100)) assertEquals(files.readSynced(name)!.length, 2 * round + 2);
    }
    // Which is the one sync for each write that there would be anyway.
    assertEquals(counts.syncs, 500);
    for (const [i, file] of all.entries()) {
      assert(await file.isAt!(`f${i}`));
      await file.close();
      await file.close();
      assertEquals(files.read(`f${i}`), Uint8Array.from([0, i, 1, i, 2, i, 3, i, 4, i]));
    }
    assertEquals([counts.most, counts.open, told], [4, 0, [4]]);
  });

  it("does not sync where nobody wants that, and says nothing of files that are quiet", async () => {
    const { files, counts } = counted();
    const { pool: few, told, pass } = pool(2, false);
    for (const name of names(10)) {
      const file = await few.open(() => files.create(name, "new"));
      await file.write(Uint8Array.of(1));
      pass(60_000);
    }
    assertEquals([counts.syncs, counts.most, told], [0, 2, []]);
  });

  it("closes others where the system gives no more, and opens more again later", async () => {
    const { files, counts } = counted(3);
    const { pool: many, pass } = pool(100);
    const all = await Promise.all(
      names(8).map((name) => many.open(() => files.create(name, "new"))),
    );
    await Promise.all(all.map((file) => file.write(Uint8Array.of(1))));
    assertEquals(counts.most, 3);
    counts.limit = 6;
    pass(10_000);
    await Promise.all(all.map((file) => file.write(Uint8Array.of(2))));
    assertEquals(counts.most, 6);
    for (const name of names(8)) assertEquals(files.read(name), Uint8Array.of(1, 2));
    await Promise.all(all.map((file) => file.close()));
    assertEquals(counts.open, 0);
  });

  it("gives the system's error where there is nothing to close", async () => {
    const { files } = counted(0);
    const opening = pool(100).pool.open(() => files.create("a", "new"));
    assert(isOutOfDescriptors(await opening.catch((error) => error)));
  });

  it("tells who writes next that a file was removed meanwhile, or is not on the disk", async () => {
    let isBroken = false;
    const { files, counts } = counted(Infinity, ({ kind, path }) => {
      if (isBroken && kind === "sync" && path === "f1") throw new Error("bad disk");
    });
    const { pool: few } = pool(2);
    const [a, b, c] = await Promise.all(
      names(3).map((name) => few.open(() => files.create(name, "new"))),
    );
    await files.remove("f0");
    await assertRejects(() => a!.write(Uint8Array.of(1)), FileGone);
    assertEquals(await a!.isAt!("f0"), false);
    await b!.write(Uint8Array.of(1));
    isBroken = true;
    // f1 can't be closed for a while, so it keeps its place; the others share what is left.
    const d = await few.open(() => files.create("f3", "new"));
    await c!.write(Uint8Array.of(1));
    await d.write(Uint8Array.of(1));
    await assertRejects(() => b!.sync(), Error, "bad disk");
    await Promise.all([a, b, c, d].map((file) => file!.close()));
    assertEquals([counts.open, counts.most], [0, 2]);
  });

  it("has few calls under way, for each of which a runtime may take a descriptor", async () => {
    let [running, most] = [0, 0];
    const { files } = counted(Infinity, async ({ kind }) => {
      if (kind !== "write" && kind !== "sync") return;
      most = Math.max(most, ++running);
      await settle();
      running--;
    });
    const { pool: many } = pool(300);
    const all = await Promise.all(
      names(200).map((name) => many.open(() => files.create(name, "new"))),
    );
    await Promise.all(all.map((file) => file.write(Uint8Array.of(1))));
    await Promise.all(all.map((file) => file.sync()));
    assert(most <= 48, `${most} calls`);
    for (const name of names(200)) assertEquals(files.readSynced(name), Uint8Array.of(1));
    await Promise.all(all.map((file) => file.close()));
  });

  it("puts on the disk what was written during a sync, before the file is closed for a while", async () => {
    const slow = Promise.withResolvers<void>();
    const { files, counts } = counted(
      Infinity,
      ({ kind }) => kind === "write" ? slow.promise : undefined,
    );
    const { pool: few } = pool(1);
    const file = await few.open(() => files.create("f0", "new"));
    const writing = file.write(Uint8Array.of(1));
    await settle();
    await file.sync();
    slow.resolve();
    await writing;
    await few.open(() => files.create("f1", "new"));
    assertEquals([counts.syncs, files.readSynced("f0")], [2, Uint8Array.of(1)]);
  });

  it("keeps no write waiting for syncs of other files", async () => {
    const slow = Promise.withResolvers<void>();
    const { files, counts } = counted(
      Infinity,
      ({ kind }) => kind === "sync" ? slow.promise : undefined,
    );
    const { pool: many } = pool(300);
    const all = await Promise.all(
      names(200).map((name) => many.open(() => files.create(name, "new"))),
    );
    await Promise.all(all.map((file) => file.write(Uint8Array.of(1))));
    const syncing = all.slice(1).map((file) => file.sync());
    await settle();
    assert(counts.syncs > 16, `${counts.syncs} syncs`);
    await all[0]!.write(Uint8Array.of(2));
    assertEquals(files.read("f0"), Uint8Array.of(1, 2));
    slow.resolve();
    await Promise.all(syncing);
    await Promise.all(all.map((file) => file.close()));
  });

  it("waits for a place until one is free", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { files } = counted(Infinity, ({ kind }) => kind === "write" ? promise : undefined);
    const { pool: one } = pool(1);
    const first = await one.open(() => files.create("a", "new"));
    const writing = first.write(Uint8Array.of(1));
    let isOpen = false;
    const second = one.open(() => files.create("b", "new")).then((file) => {
      isOpen = true;
      return file;
    });
    for (let i = 0; i < 5; i++) await settle();
    assertEquals(isOpen, false);
    resolve();
    await writing;
    await (await second).close();
    await first.close();
  });
});
