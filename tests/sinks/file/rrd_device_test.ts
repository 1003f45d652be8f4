import { describe, it } from "node:test";
import { setImmediate } from "node:timers";
import { assertEquals } from "@std/assert";
import { memoryFiles } from "../../../lib/adapters/files/memory_files.ts";
import type { FileAdapter } from "../../../lib/adapters/files/types.ts";
import { rrdFileSink } from "../../../lib/sinks/file/rrd_file.ts";
import { msgpackMessage } from "../messages.ts";

/** Lets everything that can happen without outside help happen. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("rrdFileSink into a pipe", () => {
  it("does not wait for a reader to come back, and goes on with the next", async () => {
    const reader = Promise.withResolvers<void>();
    const closed: string[] = [];
    let hasReader = true;
    let opens = 0;
    const memory = memoryFiles(({ kind, path }) => {
      if (kind === "close") closed.push(path);
      if (kind === "write" && !hasReader) throw new Error("EPIPE");
    });
    const files: FileAdapter = {
      ...memory,
      kind: () => Promise.resolve("other"),
      async create(path, mode) {
        if (++opens > 1) await reader.promise;
        return await memory.create(path, mode);
      },
    };
    let ms = 0;
    const sink = await rrdFileSink({ path: "pipe", force: true, files, now: () => ms });
    const write = async () => {
      await sink.write([msgpackMessage(10)]);
      await settle();
      ms += 10_000;
    };
    await write();
    hasReader = false;
    await write(); // lost, and with it the pipe
    await write(); // lost: it begins to open
    await write(); // lost: it does not
    assertEquals([sink.kept.messages, sink.lost.messages, opens], [1, 3, 2]);
    hasReader = true;
    reader.resolve();
    await settle();
    ms += 10_000;
    await write();
    await sink.close();
    assertEquals([sink.kept.messages, sink.lost.messages, opens], [2, 3, 2]);
    assertEquals(closed, ["pipe", "pipe"]);
  });

  it("closes one that opened too late", async () => {
    const reader = Promise.withResolvers<void>();
    const closed: string[] = [];
    const memory = memoryFiles(({ kind, path }) => {
      if (kind === "close") closed.push(path);
      if (kind === "write") throw new Error("EPIPE");
    });
    let opens = 0;
    const files: FileAdapter = {
      ...memory,
      kind: () => Promise.resolve("other"),
      async create(path, mode) {
        if (++opens > 1) await reader.promise;
        return await memory.create(path, mode);
      },
    };
    let ms = 0;
    const sink = await rrdFileSink({ path: "pipe", force: true, files, now: () => ms });
    for (let i = 0; i < 2; i++) {
      await sink.write([msgpackMessage(10)]);
      await settle();
      ms += 10_000;
    }
    await sink.close();
    assertEquals(closed, ["pipe"]);
    reader.resolve();
    await settle();
    assertEquals(closed, ["pipe", "pipe"]);
  });
});
