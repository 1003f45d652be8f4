import { describe, it } from "node:test";
import { setImmediate } from "node:timers";
import { assert, assertEquals } from "@std/assert";
import { type MemoryFiles, memoryFiles } from "../../../lib/adapters/files/memory_files.ts";
import { rrdFileSink, type RrdFileSinkOptions } from "../../../lib/sinks/file/rrd_file.ts";
import { scan } from "../../recordings/inputs.ts";
import { CAPTURE, names, wholeIn } from "../leftovers.ts";
import { bytesOf, keptLog, msgpackMessage } from "../messages.ts";

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
