import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { type FileOperation, memoryFiles } from "../../../../lib/adapters/files/memory_files.ts";
import type { FileMode } from "../../../../lib/adapters/files/types.ts";
import { IndexFile } from "../../../../lib/sinks/file/parts/_index_file.ts";
import { encodeLine, type IndexLine } from "../../../../lib/sinks/file/parts/_index_line.ts";

function line(name: string): IndexLine {
  return { kind: "removed", name };
}

describe("IndexFile", () => {
  it("writes one line after the other, whatever is synced meanwhile", async () => {
    let [underWay, most] = [0, 0];
    const files = memoryFiles(async ({ kind }) => {
      if (kind !== "write" && kind !== "sync") return;
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setTimeout(resolve, 1));
      underWay--;
    });
    const file = new IndexFile("a", files, files);
    const work: Promise<void>[] = [];
    for (let i = 0; i < 20; i++) {
      work.push(file.write(line(String(i))), file.sync());
      await Promise.resolve();
      work.push(file.write(line(`${i} again`)));
      if (i % 3 === 0) await work.at(-1 - i % 2);
    }
    await Promise.all(work);
    await file.close();
    assertEquals(most, 1);
    const names = (await Array.fromAsync(new IndexFile("a", files).lines()))
      .map((line) => line.kind === "removed" ? line.name : line.kind);
    assertEquals(names.length, 40);
  });

  it("syncs what was written before, however many ask at one time", async () => {
    const files = memoryFiles();
    const file = new IndexFile("a", files, files);
    await Promise.all(["a", "b", "c"].map(async (name) => {
      await file.write(line(name));
      await file.sync();
      const synced = new TextDecoder().decode(files.readSynced("a"));
      assertEquals(synced.includes(`"${name}"`), true);
    }));
    await file.close();
  });

  it("goes on in a new file where its folder was moved away", async () => {
    const memory = memoryFiles();
    let folder = "one";
    const files = { ...memory, identity: () => Promise.resolve(folder) };
    const file = new IndexFile("a", files, files);
    await file.write(line("first"));
    await files.rename("a", "b");
    folder = "another";
    await file.write(line("second"));
    await file.write(line("third"));
    await file.close();
    assertEquals(await namesIn(memory, "b"), ["first"]);
    assertEquals(await namesIn(memory), ["second", "third"]);
  });

  it("is written again where somebody removed or renamed it alone", async () => {
    const files = memoryFiles();
    await (await files.create("a", "new")).write(encodeLine(line("first")));
    const file = new IndexFile("a", files, files);
    let restored = 0;
    file.onRestored = () => restored++;
    await Array.fromAsync(file.lines());
    await file.write(line("second"));
    await file.look();
    assertEquals(restored, 0);
    await files.remove("a");
    await file.look();
    assertEquals(await namesIn(files), ["first", "second"]);
    await file.write(line("third"));
    await files.rename("a", "b");
    await file.write(line("fourth"));
    await file.close();
    assertEquals(await namesIn(files), ["first", "second", "third", "fourth"]);
    assertEquals([restored, files.paths.sort()], [2, ["a", "b"]]);
    await files.remove("a");
    await file.look();
    assertEquals(files.paths, ["b"]);
  });

  it("loses no line where it is removed while the disk is full, and takes no room meanwhile", async () => {
    let isFull = false;
    const files = memoryFiles(({ kind, path }) => {
      if (isFull && kind === "write" && path === "a.new") throw new Error("No space left");
    });
    const file = new IndexFile("a", files, files);
    await file.write(line("first"));
    await files.remove("a");
    isFull = true;
    await assertRejects(() => file.look(), Error, "No space left");
    await assertRejects(() => file.write(line("second")), Error, "No space left");
    assertEquals(files.paths, []);
    isFull = false;
    await file.look();
    await file.write(line("third"));
    await file.close();
    assertEquals(await namesIn(files), ["first", "third"]);
  });

  it("is written again with what can be read of it where the disk is bad", async () => {
    let reads = 0;
    const files = memoryFiles(({ kind }) => {
      if (kind === "readAt" && ++reads > 1) throw new Error("Input/output error");
    });
    const file = new IndexFile("a", files, files);
    await file.write(line("first"));
    await files.remove("a");
    await file.write(line("second"));
    await file.close();
    assertEquals(await namesIn(files), ["first", "second"]);
  });

  it("stays with its file where a link has the name that leads to it", async () => {
    const files = memoryFiles();
    let opened = 0;
    const linked = {
      ...files,
      kind: (path: string) => path === "a" ? Promise.resolve("other" as const) : files.kind(path),
      realPath: (path: string) => files.realPath(path === "a" ? "disk/b" : path),
      openAt: (path: string) => files.openAt(path === "a" ? "disk/b" : path),
      create(path: string, mode: FileMode) {
        opened++;
        return files.create(path === "a" ? "disk/b" : path, mode);
      },
    };
    await (await files.create("disk/b", "new")).close();
    const file = new IndexFile("a", linked, linked);
    for (const name of ["first", "second", "third"]) await file.write(line(name));
    assertEquals(opened, 1);
    await files.rename("disk/b", "disk/c");
    await file.write(line("fourth"));
    await file.close();
    // The copy, and that one again once it has its name.
    assertEquals(opened, 3);
    assertEquals(await namesIn(files, "disk/b"), ["first", "second", "third", "fourth"]);
    assertEquals(files.paths.sort(), ["disk/b", "disk/c"]);
  });

  /** Files with an index of two lines; `fails` says which operations do. */
  async function withLines(fails: (operation: FileOperation) => boolean) {
    let isOn = false;
    const files = memoryFiles((operation) => {
      if (isOn && fails(operation)) throw new Error("No space left on device");
    });
    const before = new IndexFile("a", files, files);
    for (const name of ["first", "second"]) await before.write(line(name));
    await before.close();
    isOn = true;
    const turnOff = () => isOn = false;
    return { files, turnOff };
  }

  async function namesIn(files: ReturnType<typeof memoryFiles>, path = "a"): Promise<string[]> {
    const lines = await Array.fromAsync(new IndexFile(path, files).lines());
    return lines.map((line) => line.kind === "removed" ? line.name : line.kind);
  }

  it("loses no line where the disk is full as it is written anew, and goes on so", async () => {
    const { files, turnOff } = await withLines(({ kind }) => kind === "write");
    const file = new IndexFile("a", files, files);
    await Array.fromAsync(file.lines());
    await assertRejects(() => file.replace([line("second")]), Error);
    await assertRejects(() => file.write(line("third")), Error);
    assertEquals(await namesIn(files), ["first", "second"]);
    turnOff();
    await file.write(line("fourth"));
    await file.close();
    assertEquals(await namesIn(files), ["first", "second", "fourth"]);
  });

  it("loses no line where not all of it could be read", async () => {
    const { files, turnOff } = await withLines(({ kind }) => kind === "write");
    let reads = 0;
    const open = () =>
      Promise.resolve(
        new ReadableStream<Uint8Array>({
          pull(controller) {
            if (reads++ > 0) controller.error(new Error("Input/output error"));
            else controller.enqueue(files.read("a")!.slice(0, 10));
          },
        }, { highWaterMark: 0 }),
      );
    const file = new IndexFile("a", { ...files, open }, files);
    await assertRejects(() => Array.fromAsync(file.lines()), Error);
    await assertRejects(() => file.write(line("third")), Error);
    turnOff();
    await file.write(line("fourth"));
    await file.close();
    assertEquals(await namesIn(files), ["first", "second", "fourth"]);
  });
});
