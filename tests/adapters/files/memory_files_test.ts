import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { type FileOperation, memoryFiles } from "../../../lib/adapters/files/memory_files.ts";
import { filesContract } from "../../contract/files_contract.ts";

describe("memoryFiles", () => {
  const files = memoryFiles();
  filesContract(files, { path: (name) => name, read: (path) => files.read(path)! });

  it("asks the hook before each operation", async () => {
    const asked: string[] = [];
    const files = memoryFiles(({ kind, path, bytes }: FileOperation) => {
      asked.push(`${kind} ${path} ${bytes?.length ?? ""}`.trim());
    });
    await files.kind("a");
    const file = await files.create("a", "new");
    await file.write(new Uint8Array(3));
    await file.sync();
    await file.truncate(1);
    await file.close();
    assertEquals(asked, ["kind a", "create a", "write a 3", "sync a", "truncate a", "close a"]);
  });

  it("leaves out what the hook throws at, and keeps what the disk took before", async () => {
    let room = 5;
    const files = memoryFiles(({ kind, bytes }) => {
      if (kind !== "write") return;
      if (!room) throw new Error("disk full");
      const taken = Math.min(room, bytes!.length, 3);
      room -= taken;
      return taken;
    });
    const file = await files.create("a", "new");
    await assertRejects(() => file.write(Uint8Array.of(1, 2, 3, 4, 5, 6)), Error, "disk full");
    assertEquals(files.read("a"), Uint8Array.of(1, 2, 3, 4, 5));
  });

  it("tells what would outlive a power cut", async () => {
    const files = memoryFiles();
    const file = await files.create("a", "new");
    await file.write(Uint8Array.of(1, 2));
    await file.sync();
    await file.write(Uint8Array.of(3));
    assertEquals(files.readSynced("a"), Uint8Array.of(1, 2));
    assertEquals(files.paths, ["a"]);
  });
});
