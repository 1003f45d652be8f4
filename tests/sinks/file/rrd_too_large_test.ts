import { describe, it } from "node:test";
import { setImmediate } from "node:timers";
import { assert, assertEquals } from "@std/assert";
import { type MemoryFiles, memoryFiles } from "../../../lib/adapters/files/memory_files.ts";
import { rrdFileSink, type RrdFileSinkOptions } from "../../../lib/sinks/file/rrd_file.ts";
import { ArrowMsg } from "../../../lib/encoding/arrow_msg.ts";
import { Bridge } from "../../../lib/bridge/mod.ts";
import { xxh32 } from "../../../lib/encoding/rrd/xxh32.ts";
import { chunk, chunkOf, column } from "../../bridge/chunks.ts";
import { concat } from "../../encoding/rrd_builder.ts";
import { smart } from "../../viewers/messages.ts";
import { scan } from "../../recordings/inputs.ts";
import { CAPTURE, names, wholeIn } from "../leftovers.ts";
import { bytesOf, keptLog, msgpackMessage } from "../messages.ts";

const digest = (bytes: Uint8Array) => `${bytes.length} ${xxh32(bytes, 0)}`;

/** Lets everything that can happen without outside help happen. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Files of so many bytes at most, as FAT32 and `ulimit -f` have them. */
function limited(bytes: number): MemoryFiles {
  const files: MemoryFiles = memoryFiles((operation) => {
    if (operation.kind !== "write" || !operation.path.endsWith(".part")) return;
    const room = bytes - files.read(operation.path)!.length;
    if (room <= 0) throw Object.assign(new Error("EFBIG: file too large"), { code: "EFBIG" });
    return Math.min(room, operation.bytes!.length);
  });
  return files;
}

async function save(limit: number, over: Partial<RrdFileSinkOptions> = {}, atOnce = false) {
  const files = limited(limit);
  const log = keptLog();
  const errors: unknown[] = [];
  const sink = await rrdFileSink({
    ...{ path: "a.rrd", files, log, now: () => 0, onError: (error) => errors.push(error) },
    ...over,
  });
  for (const message of atOnce ? [] : CAPTURE) {
    await sink.write([message]);
    await settle();
  }
  if (atOnce) await sink.write(CAPTURE);
  await sink.close();
  return { files, log, sink, errors };
}

const WHOLE = CAPTURE.map((message) => String.fromCharCode(...bytesOf(message).subarray(0, 5000)));
const LARGEST = Math.max(...CAPTURE.map((message) => bytesOf(message).length));

describe("rrdFileSink whose files can't grow", () => {
  it("goes on in the next at once, and loses nothing", async () => {
    for (const atOnce of [false, true]) {
      for (const over of [{}, { sync: "always" }, { compress: "lz4" }, { path: "{part}.rrd" }]) {
        for (const limit of [LARGEST + 30_000, 80_000, 100_001]) {
          const { files, log, sink, errors } = await save(limit, over as object, atOnce);
          const what = `${limit} ${JSON.stringify(over)} ${atOnce}`;
          assertEquals([sink.lost.messages, sink.kept.messages], [0, CAPTURE.length], what);
          assertEquals([log.of("error"), errors, sink.failed], [[], [], false], what);
          const saved = names(files);
          assert(saved.length > ("compress" in over ? 0 : 1), what);
          assert(saved.every((name) => name.endsWith(".rrd")), `${what}: ${saved}`);
          for (const name of saved) assert(files.read(name)!.length <= limit, what);
          if ("compress" in over) continue;
          const found = new Set(saved.flatMap((name) => wholeIn(files.read(name)!)));
          assert(WHOLE.every((text) => found.has(text)), what);
        }
      }
    }
  });

  it("cuts compressed files at a message as well, so that each is whole", async () => {
    for (const limit of [20_000, 30_000, 50_001]) {
      for (const atOnce of [false, true]) {
        const { files, sink } = await save(limit, { compress: "lz4", path: "{part}.rrd" }, atOnce);
        const saved = names(files);
        assert(saved.length > 1, `${saved}`);
        let found = 0;
        for (const name of saved) {
          const { parts, error } = scan([files.read(name)!]);
          assertEquals(error, undefined, `${limit} ${atOnce} ${name}`);
          found += parts.filter((part) => part.kind === "message" && part.msg.kind === "ArrowMsg")
            .length;
        }
        assert(found >= sink.kept.messages - 10, `${found} of ${sink.kept.messages}`);
      }
    }
  });

  it("loses no more than a message that no file can take, and says so", async () => {
    const limit = LARGEST - 1;
    for (const atOnce of [false, true]) {
      const { sink, log } = await save(limit, {}, atOnce);
      assertEquals([sink.lost.messages, sink.kept.messages], [1, CAPTURE.length - 1]);
      assertEquals(log.of("error").length, 1);
      assert(log.of("error")[0]!.startsWith(`A message of ${LARGEST} bytes is lost`));
    }
  });

  it("goes on with large messages of today's form, whose data is not copied", async () => {
    const time = column("frame", { "rerun.kind": "time" });
    const schema = chunk([time, "rerun.components.Scalar"]).ipc();
    const msgs = [1, 2, 3, 4, 5].map((seed) => {
      const msg = chunkOf(concat(schema, new Uint8Array(400_000).fill(seed)));
      const { storeId, chunkId, isStatic, arrow, encoded } = msg;
      const at = [{ name: "frame", type: "sequence" as const, time: 1n }];
      return new ArrowMsg(storeId, chunkId, at, isStatic, arrow, encoded);
    });
    const given = new Bridge().push(msgs).items.map(({ encoded: { bytes } }) => digest(bytes));
    for (const over of [{}, { sync: "always" }, { compress: "lz4" }] as const) {
      for (const limit of [500_000, 900_000, 1_300_000]) {
        const files = limited(limit);
        const options = { path: "{part}.rrd", files, rrdFormat: "current", ...over } as const;
        const sink = await rrdFileSink(options);
        await sink.write(msgs.map((msg) => smart(msg)));
        await sink.close();
        const what = `${limit} ${JSON.stringify(over)}`;
        assertEquals([sink.lost.messages, sink.kept.messages], [0, msgs.length], what);
        if ("compress" in over) continue;
        const found = names(files).flatMap((name) => {
          assert(files.read(name)!.length <= limit, what);
          const { parts, error } = scan([files.read(name)!]);
          assertEquals(error, undefined, what);
          return parts.filter((part) => part.kind === "message")
            .filter(({ msg }) => msg.kind === "ArrowMsg")
            .map(({ msg }) => digest(msg.encoded.bytes));
        });
        assertEquals(found, given, what);
        assertEquals(names(files).length, limit === 500_000 ? 5 : limit === 900_000 ? 3 : 2, what);
      }
    }
  });

  it("leaves out an end marker that does not fit", async () => {
    const { length } = bytesOf(msgpackMessage(30));
    const files = limited(12 + 2 * length + 3);
    const sink = await rrdFileSink({ path: "a.rrd", files });
    await sink.write([msgpackMessage(30), msgpackMessage(30)]);
    await sink.close();
    assertEquals(names(files), ["a.rrd"]);
    assertEquals(files.read("a.rrd")!.length, 12 + 2 * length);
    assertEquals(sink.failed, false);
  });
});
