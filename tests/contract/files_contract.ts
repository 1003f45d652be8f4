/** What every {@linkcode FileAdapter} keeps to. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { it } from "node:test";
import type { FileAdapter } from "../../lib/adapters/files/types.ts";
import { FileExists, FileGone } from "../../lib/base/errors.ts";
import { seeded } from "../random.ts";
import { joined, randomBytes } from "./streams.ts";

/** A place for files, and a look into it that does not go through the adapter. */
export interface Folder {
  path(name: string): string;
  read(path: string): Uint8Array | Promise<Uint8Array>;
}

export function filesContract(files: FileAdapter, folder: Folder): void {
  it("writes all bytes, in order", async () => {
    const path = folder.path("all");
    const file = await files.create(path, "new");
    const random = seeded(1);
    const parts = [10, 0, 3_000_000, 1].map((length) => randomBytes(length, random));
    for (const part of parts) await file.write(part);
    await file.sync();
    assertEquals(await folder.read(path), joined(parts));
    await file.close();
  });

  it("takes more while it syncs, also after a cut and under another name", async () => {
    const [path, renamed] = [folder.path("busy"), folder.path("busy_renamed")];
    const file = await files.create(path, "new");
    const parts = [5_000_000, 3_000_000, 2_000_000].map((length) => randomBytes(length, seeded(2)));
    await file.write(parts[0]!);
    await Promise.all([file.sync(), file.write(parts[1]!)]);
    await file.truncate(6_000_000);
    await files.rename(path, renamed);
    await Promise.all([file.write(parts[2]!), file.sync(), file.sync()]);
    await file.close();
    const expected = joined(parts.slice(0, 2)).subarray(0, 6_000_000);
    assertEquals(await folder.read(renamed), joined([expected, parts[2]!]));
  });

  it("syncs what was renamed before", async () => {
    const [path, renamed] = [folder.path("early"), folder.path("early_renamed")];
    const file = await files.create(path, "new");
    const bytes = randomBytes(5_000_000, seeded(3));
    await file.write(bytes);
    await files.rename(path, renamed);
    await (await files.create(path, "new")).close();
    await Promise.all([file.sync(), file.write(Uint8Array.of(1))]);
    await file.close();
    assertEquals(await folder.read(renamed), joined([bytes, Uint8Array.of(1)]));
  });

  it("knows whether it is a file that stands at a path, or another", async () => {
    const [path, renamed] = [folder.path("mine"), folder.path("mine_renamed")];
    const file = await files.create(path, "new");
    assertEquals(await file.isAt?.(path), true);
    await files.rename(path, renamed);
    await (await files.create(path, "new")).close();
    assertEquals([await file.isAt?.(path), await file.isAt?.(renamed)], [false, true]);
    await file.close();
  });

  it("hands bytes to the system at once", async () => {
    const path = folder.path("at_once");
    const file = await files.create(path, "new");
    await file.write(Uint8Array.of(1, 2, 3));
    assertEquals(await folder.read(path), Uint8Array.of(1, 2, 3));
    await file.close();
  });

  it("leaves alone what exists", async () => {
    const path = folder.path("kept");
    const first = await files.create(path, "new");
    await first.write(Uint8Array.of(1, 2, 3));
    await first.close();
    const error = await assertRejects(() => files.create(path, "new"), FileExists, "--force");
    assertEquals(error.path, path);
    assert(error.cause instanceof Error);
    assertEquals(await folder.read(path), Uint8Array.of(1, 2, 3));
  });

  it("replaces what exists, if told to", async () => {
    const path = folder.path("replaced");
    for (const bytes of [[1, 2, 3], [4]]) {
      const file = await files.create(path, "replace");
      await file.write(Uint8Array.from(bytes));
      await file.close();
    }
    assertEquals(await folder.read(path), Uint8Array.of(4));
  });

  it("cuts, and goes on behind the cut", async () => {
    const path = folder.path("cut");
    const file = await files.create(path, "new");
    await file.write(Uint8Array.of(1, 2, 3, 4, 5));
    await file.truncate(2);
    assertEquals(await folder.read(path), Uint8Array.of(1, 2));
    await file.write(Uint8Array.of(6));
    assertEquals(await folder.read(path), Uint8Array.of(1, 2, 6));
    await file.close();
  });

  it("writes over what is there, and goes on behind the end", async () => {
    const path = folder.path("over");
    const file = await files.create(path, "new");
    await file.write(Uint8Array.of(1, 2, 3, 4, 5));
    await file.writeAt(1, Uint8Array.of(8, 9));
    await file.write(Uint8Array.of(6));
    await file.sync();
    assertEquals(await folder.read(path), Uint8Array.of(1, 8, 9, 4, 5, 6));
    await file.truncate(3);
    await file.writeAt(0, Uint8Array.of(7));
    await file.write(Uint8Array.of(4));
    assertEquals(await folder.read(path), Uint8Array.of(7, 8, 9, 4));
    await file.close();
  });

  it("knows what exists", async () => {
    const path = folder.path("known");
    assertEquals(await files.kind(path), undefined);
    await (await files.create(path, "new")).close();
    assertEquals(await files.kind(path), "file");
  });

  it("goes on behind what a file holds, and cuts it first if told to", async () => {
    const path = folder.path("appended");
    for (const bytes of [[1, 2, 3], [4, 5]]) {
      const file = await files.create(path, "append");
      await file.write(Uint8Array.from(bytes));
      await file.close();
    }
    assertEquals(await folder.read(path), Uint8Array.of(1, 2, 3, 4, 5));
    const file = await files.create(path, "append");
    await file.truncate(2);
    await file.write(Uint8Array.of(6));
    await file.close();
    assertEquals(await folder.read(path), Uint8Array.of(1, 2, 6));
  });

  it("closes a file for a while, and goes on with it", async () => {
    const path = folder.path("parked");
    let file = await files.create(path, "new");
    await file.write(Uint8Array.of(1, 2, 3));
    for (const bytes of [[4], [5, 6]]) {
      const parked = await file.park!();
      assert(await parked.isAt(path));
      file = await parked.open();
      await file.write(Uint8Array.from(bytes));
    }
    await file.writeAt(0, Uint8Array.of(7));
    await file.truncate(5);
    await file.write(Uint8Array.of(8));
    await file.sync();
    assert(await file.isAt?.(path));
    await file.close();
    assertEquals(await folder.read(path), Uint8Array.of(7, 2, 3, 4, 5, 8));
  });

  it("does not go on with a file that somebody removed, replaced or wrote to", async () => {
    const parkedAt = async (path: string) => {
      const file = await files.create(path, "new");
      await file.write(Uint8Array.of(1, 2));
      return await file.park!();
    };
    const write = async (path: string, bytes: Uint8Array) => {
      const file = await files.create(path, "append");
      await file.write(bytes);
      await file.close();
    };
    const [removed, replaced, longer] = ["parked_a", "parked_b", "parked_c"]
      .map((name) => folder.path(name)) as [string, string, string];
    const all = [await parkedAt(removed), await parkedAt(replaced), await parkedAt(longer)];
    await files.remove(removed);
    // Systems like to give it the number of the file that is gone.
    await files.remove(replaced);
    await write(replaced, Uint8Array.of(1));
    await write(longer, Uint8Array.of(3));
    for (const parked of all) await assertRejects(() => parked.open(), FileGone);
    assertEquals(await files.kind(removed), undefined);
    assertEquals(await folder.read(replaced), Uint8Array.of(1));
    assertEquals(await folder.read(longer), Uint8Array.of(1, 2, 3));
  });

  it("renames over what is there, removes and lists", async () => {
    const [a, b] = [folder.path("sub_a"), folder.path("sub_b")];
    for (const [path, byte] of [[a, 1], [b, 2]] as const) {
      const file = await files.create(path, "new");
      await file.write(Uint8Array.of(byte));
      await file.close();
    }
    const parent = a.slice(0, -"sub_a".length);
    const listed = async () =>
      (await files.list(parent)).filter((name) => name.startsWith("sub_")).sort();
    assertEquals(await listed(), ["sub_a", "sub_b"]);
    await files.rename(a, b);
    assertEquals(await folder.read(b), Uint8Array.of(1));
    assertEquals(await listed(), ["sub_b"]);
    await files.remove(b);
    assertEquals(await listed(), []);
    await assertRejects(() => files.remove(b), Error);
    await assertRejects(() => files.rename(b, a), Error);
  });

  it("reads what a file holds", async () => {
    const path = folder.path("read");
    const bytes = randomBytes(300_000, seeded(2));
    const file = await files.create(path, "new");
    await file.write(bytes);
    await file.close();
    const chunks: Uint8Array[] = [];
    for await (const chunk of await files.open(path)) chunks.push(chunk);
    assertEquals(joined(chunks), bytes);
    // Left half-way, it holds nothing open that could end the program.
    await (await files.open(path)).cancel();
    await assertRejects(() => files.open(folder.path("not_there")), Error);
  });

  it("closes twice", async () => {
    const file = await files.create(folder.path("closed"), "new");
    await file.close();
    await file.close();
  });

  it("reads at any place", async () => {
    const path = folder.path("at");
    const file = await files.create(path, "new");
    await file.write(Uint8Array.of(1, 2, 3, 4, 5));
    await file.close();
    const reading = await files.openAt(path);
    assertEquals(reading.size, 5);
    const into = new Uint8Array(3);
    for (const [at, expected] of [[2, [3, 4, 5]], [0, [1, 2, 3]], [4, [5]], [9, []]] as const) {
      const length = await reading.readAt(at, into);
      assertEquals([...into.subarray(0, length)], [...expected]);
    }
    await reading.close();
    await reading.close();
    await assertRejects(() => files.openAt(folder.path("not_there_either")), Error);
  });

  it("knows no other name of a file, nor of one that is not there", async () => {
    const path = folder.path("real");
    assertEquals(await files.realPath(path), path);
    await (await files.create(path, "new")).close();
    assert((await files.realPath(path)).endsWith("real"));
  });

  it("puts names on the disk", async () => {
    const path = folder.path("folder_entry");
    await (await files.create(path, "new")).close();
    await files.syncFolder(path.slice(0, -"folder_entry".length));
  });
}
