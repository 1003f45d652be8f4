import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { plural } from "../../../lib/base/plural.ts";
import {
  type FileHook,
  type FileOperation,
  memoryFiles,
} from "../../../lib/adapters/files/memory_files.ts";
import { rrdFileSink } from "../../../lib/sinks/file/rrd_file.ts";
import { tallyOf } from "../../../lib/sinks/sink.ts";
import {
  besidesIndex,
  bytesOf,
  concat,
  header,
  keptLog,
  message,
  msgpackMessage,
} from "../messages.ts";

const BATCHES = [
  [msgpackMessage(10, 1), msgpackMessage(70_000, 2), msgpackMessage(20, 3)],
  [msgpackMessage(30, 4)],
  Array.from({ length: 300 }, (_, i) => msgpackMessage(2000, i)),
  [msgpackMessage(300_000, 6), msgpackMessage(7, 7)],
];
const MESSAGES = BATCHES.flat();
const TOTAL = tallyOf(MESSAGES);

async function save(hook: FileHook) {
  const log = keptLog();
  const files = memoryFiles(hook);
  const sink = await rrdFileSink({ path: "a.rrd", files, log, now: () => 0 });
  for (const batch of BATCHES) {
    await sink.write(batch);
    await settle();
  }
  const closed = await sink.close().then(() => undefined, (error: Error) => error);
  return { sink, log, closed, files, bytes: files.read("a.rrd") };
}

/** Lets everything that can happen without outside help happen. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

function isMarker(bytes: Uint8Array): boolean {
  return bytes.length === 8 && bytes.every((byte) => byte === 0);
}

function isData({ kind, path, bytes }: FileOperation): boolean {
  return kind === "write" && path.endsWith(".part") && !isMarker(bytes!);
}

/** Fails the k-th write after it took a part, and all later ones, as a full disk does. */
function fullAfter(writes: number, part: number): FileHook {
  let count = 0;
  return (op) => {
    if (op.kind !== "write" || !op.path.endsWith(".part")) return;
    count++;
    // The end marker is tiny: it still fits.
    if (count < writes || isMarker(op.bytes!)) return;
    if (count === writes && part > 0) return Math.min(part, op.bytes!.length - 1);
    throw new Error("No space left on device");
  };
}

describe("rrdFileSink on a failing disk", () => {
  it("cuts the file at its last whole message, whichever write fails and wherever", async () => {
    let writes = 0;
    await save((op) => void (isData(op) && writes++));
    assert(writes >= 7);
    let failures = 0;
    for (let k = 1; k <= writes + 1; k++) {
      for (const part of [0, 1, 9, 1500]) {
        const { sink, log, closed, files, bytes } = await save(fullAfter(k, part));
        const { messages, bytes: saved } = sink.kept;
        assertEquals(messages + sink.lost.messages, TOTAL.messages);
        assertEquals(saved + sink.lost.bytes, TOTAL.bytes);
        const whole = MESSAGES.slice(0, messages).map(bytesOf);
        if (messages === 0) assertEquals(bytes, undefined);
        else assertEquals(bytes, concat(header([0, 22, 1]).bytes, ...whole, new Uint8Array(8)));
        assertEquals(log.of("error").length, messages === TOTAL.messages ? 0 : 1);
        assertEquals(closed, undefined);
        assertEquals(sink.failed, messages < TOTAL.messages);
        // What had its name is all there is: nothing is left half-way.
        assertEquals(besidesIndex(files), messages === 0 ? [] : ["a.rrd"]);
        if (messages < TOTAL.messages) {
          failures++;
          assert(log.of("error")[0]!.includes("No space left on device"));
          assert(
            log.of("error")[0]!.startsWith(`a.rrd ends after ${plural(messages, "message")} (`),
          );
        }
      }
    }
    assertEquals(failures, writes * 4);
  });

  it("says so when the file can't even be cut or closed", async () => {
    const { log, sink } = await save((op) => {
      if (op.kind === "truncate" || op.kind === "close") throw new Error(`no ${op.kind}`);
      if (op.kind === "write" && op.bytes!.length > 70_000) throw new Error("EIO");
    });
    assertEquals(log.of("error").length, 1);
    assert(log.of("error")[0]!.includes(
      "EIO; its end could not be mended: no truncate; it could not be closed: no close",
    ));
    assertEquals(sink.kept.messages, 1);
  });

  it("fails to close if the end marker can't be written", async () => {
    const { closed, sink } = await save((op) => {
      if (op.kind === "write" && isMarker(op.bytes!)) throw new Error("EDQUOT");
    });
    assert(closed?.message.startsWith("EDQUOT"));
    assertEquals(sink.lost.messages, 0);
  });

  it("fails to close if the file does", async () => {
    const { closed } = await save((op) => {
      if (op.kind === "close") throw new Error("EIO at close");
    });
    assertEquals(closed?.message, "EIO at close");
  });

  it("says where a file is that can't get its name", async () => {
    const { closed, files, sink } = await save((op) => {
      if (op.kind === "rename") throw new Error("EACCES");
    });
    assertEquals(closed?.message, "EACCES");
    assertEquals(besidesIndex(files), ["a.rrd.part"]);
    assertEquals(sink.saved, [{ path: "a.rrd.part", ...TOTAL }]);
  });

  it("goes on with other files, and closes them all", async () => {
    const closed: string[] = [];
    const files = memoryFiles((op) => {
      if (op.kind === "close") closed.push(op.path);
      if (op.kind === "write" && op.path === "a.rrd.part") throw new Error("EIO");
    });
    const sink = await rrdFileSink({ path: "a.rrd", files });
    const other = message(header([0, 22, 1], "lz4"), new Uint8Array(20));
    await sink.write([msgpackMessage(1), other, msgpackMessage(2), other]);
    await sink.close();
    assertEquals(sink.lost, { messages: 2, bytes: 19 });
    assertEquals(sink.saved.map((file) => file.messages), [2]);
    assertEquals(closed, ["a.rrd.part", "a.2.rrd.part", "a.rrd.index.jsonl"]);
  });

  it("reports a sibling that can't be made once, and counts what it would have held", async () => {
    const log = keptLog();
    const files = memoryFiles((op) => {
      if (op.kind === "create" && op.path !== "a.rrd.part") throw new Error("EACCES");
    });
    const sink = await rrdFileSink({ path: "a.rrd", files, log });
    const other = message(header([0, 22, 1], "lz4"), new Uint8Array(20));
    await sink.write([msgpackMessage(1), other, msgpackMessage(2), other]);
    await sink.close();
    assertEquals(sink.lost, { messages: 2, bytes: 40 });
    assertEquals(sink.saved.length, 1);
    assertEquals(log.of("error").length, 1);
  });

  it("does not open at all if the file can't be made", async () => {
    const files = memoryFiles((op) => {
      if (op.kind === "create") throw new Error("EACCES");
    });
    await assertRejects(() => rrdFileSink({ path: "a.rrd", files }), Error, "EACCES");
  });
});

describe("rrdFileSink closed during a write", () => {
  it("cuts after a whole message and counts the rest", async () => {
    let letGo = () => {};
    let started = () => {};
    const stuck = new Promise<void>((resolve) => letGo = resolve);
    const reached = new Promise<void>((resolve) => started = resolve);
    const files = memoryFiles(async (op) => {
      if (op.kind !== "write" || op.bytes!.length < 100_000) return;
      started();
      await stuck;
    });
    const sink = await rrdFileSink({ path: "a.rrd", files });
    // More than may wait, so that the write can't end before.
    const messages = Array.from({ length: 30 }, () => msgpackMessage(1_000_000));
    const writing = sink.write([msgpackMessage(1), ...messages]);
    await reached;
    const closing = sink.close();
    letGo();
    await Promise.all([writing, closing, sink.close()]);
    assertEquals(sink.saved[0], { path: "a.rrd", messages: 2, bytes: 9 + 1_000_008 });
    assertEquals(sink.lost, { messages: 29, bytes: 29 * 1_000_008 });
    assertEquals(files.read("a.rrd")!.length, 12 + 9 + 1_000_008 + 8);
  });
});
