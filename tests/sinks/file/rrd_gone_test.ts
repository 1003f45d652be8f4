import { describe, it } from "node:test";
import { setImmediate } from "node:timers";
import { assert, assertEquals } from "@std/assert";
import { type MemoryFiles, memoryFiles } from "../../../lib/adapters/files/memory_files.ts";
import { rrdFileSink } from "../../../lib/sinks/file/rrd_file.ts";
import { grpcMessages } from "../../grpc_frames.ts";
import { bytesOf, concat, header, keptLog, msgpackMessage } from "../messages.ts";

const WHOLE = concat(header([0, 22, 1]).bytes, bytesOf(msgpackMessage(30, 1)));

const OTHER = new TextEncoder().encode("somebody's");

async function put(files: MemoryFiles, path: string): Promise<void> {
  const file = await files.create(path, "new");
  await file.write(OTHER);
}

/** Lets everything that can happen without outside help happen. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A sink that wrote one message, with a clock that moves when the test says so. */
async function start() {
  const files = memoryFiles();
  const log = keptLog();
  const due = new Set<() => void>();
  let ms = 0;
  const timer = (_: number, callback: () => void) => {
    due.add(callback);
    return () => void due.delete(callback);
  };
  const path = "rec/{part}.rrd";
  const sink = await rrdFileSink({ path, files, log, timer, now: () => ms });
  const write = async (fill: number) => {
    await sink.write([msgpackMessage(30, fill)]);
    await settle();
  };
  await write(1);
  return {
    files,
    log,
    sink,
    write,
    async pass(more: number) {
      ms += more;
      for (const callback of due) {
        due.delete(callback);
        callback();
      }
      await settle();
    },
  };
}

describe("rrdFileSink whose file is taken away", () => {
  it("counts what was in it as lost, and goes on in the next", async () => {
    const { files, log, sink, write, pass } = await start();
    await files.remove("rec/0001.rrd.part");
    await pass(200);
    assertEquals(log.of("error"), [
      "rec/0001.rrd ends after 0 messages (0 bytes), and loses 1 message (38 bytes), and all " +
      "until another file takes them: rec/0001.rrd.part is gone: something removed, renamed or replaced it",
    ]);
    await pass(1000);
    await write(2);
    await sink.close();
    assertEquals(files.paths, ["rec/{part}.rrd.index.jsonl", "rec/0002.rrd"]);
    assertEquals([sink.failed, sink.kept.messages, sink.lost.messages], [true, 1, 1]);
  });

  it("leaves what somebody put in its place, and does not say that it was saved", async () => {
    for (const isSynced of [true, false]) {
      const { files, sink, write, pass } = await start();
      await files.remove("rec/0001.rrd.part");
      await put(files, "rec/0001.rrd.part");
      if (isSynced) {
        await pass(200);
        await pass(1000);
        await write(2);
      }
      const error = await sink.close().then(() => undefined, (error: Error) => error);
      assertEquals(error?.name, isSynced ? undefined : "FileGone");
      assertEquals(files.read("rec/0001.rrd.part"), OTHER);
      assertEquals(files.paths.includes("rec/0001.rrd"), false);
      const next = await rrdFileSink({ path: "rec/{part}.rrd", files });
      await next.recovered;
      await next.close();
      assertEquals(files.read("rec/0001.rrd.part"), OTHER);
      assertEquals([sink.failed, sink.lost.messages], [true, 1]);
    }
  });

  it("leaves what somebody put in its place while its chunks are listed", async () => {
    const path = "0001.rrd.part";
    const files: MemoryFiles = memoryFiles(async (operation) => {
      if (operation.kind !== "openAt" || operation.path !== path) return;
      await files.remove(path);
      await put(files, path);
    });
    const sink = await rrdFileSink({ path: "{part}.rrd", files, chunkIndex: true });
    const [msg] = grpcMessages("0.41.0-mixed");
    await sink.write([{
      ...{ source: { kind: "tcp-client", id: 1 }, time: 0 },
      payload: { type: "msg", msg: msg! },
    }]);
    const error = await sink.close().then(() => undefined, (error: Error) => error);
    assertEquals([error?.name, sink.lost.messages], ["FileGone", 1]);
    assertEquals(files.read(path), OTHER);
  });

  it("counts right if that comes to light only when it is closed", async () => {
    const { files, log, sink } = await start();
    await files.remove("rec/0001.rrd.part");
    const error = await sink.close().then(() => undefined, (error: Error) => error);
    assertEquals(error?.name, "FileGone");
    assertEquals([sink.failed, sink.kept.messages, sink.lost.messages], [true, 0, 1]);
    assertEquals(log.of("error").length, 1);
  });

  it("leaves what it wrote in a file that was renamed", async () => {
    const { files, sink, pass } = await start();
    await files.rename("rec/0001.rrd.part", "mine");
    await pass(200);
    await sink.close();
    assertEquals(files.read("mine"), WHOLE);
    assertEquals([sink.kept.messages, sink.lost.messages], [0, 1]);
  });

  it("writes its index again that somebody removed, so that a later run finds its files", async () => {
    const { files, log, sink, write, pass } = await start();
    const [msg] = grpcMessages("0.41.0-mixed");
    await sink.write([{
      ...{ source: { kind: "tcp-client", id: 1 }, time: 0 },
      payload: { type: "msg", msg: msg! },
    }]);
    await files.remove("rec/{part}.rrd.index.jsonl");
    await write(2);
    await pass(200);
    assertEquals(log.of("warn").map((text) => text.split(":")[0]), [
      "Somebody removed rec/{part}.rrd.index.jsonl, and it was written again",
    ]);
    // The program is killed here.
    const next = await rrdFileSink({ path: "rec/{part}.rrd", files });
    await next.recovered;
    await next.close();
    assertEquals(files.paths.filter((path) => path.endsWith(".part")), []);
    assert(files.paths.some((path) => /rrd$/.test(path)), files.paths.join());
  });

  it("does not take a folder that can't be looked into for one that is gone", async () => {
    let isClosed = false;
    const files = memoryFiles(({ kind, path }) => {
      if (isClosed && kind === "kind" && path.endsWith(".part")) throw new Error("EACCES");
    });
    const sink = await rrdFileSink({ path: "a.rrd", files, sync: "always" });
    isClosed = true;
    await sink.write([msgpackMessage(30, 1)]);
    assertEquals([sink.failed, sink.kept.messages], [false, 1]);
    await sink.close();
    assert(files.paths.includes("a.rrd"));
  });
});
