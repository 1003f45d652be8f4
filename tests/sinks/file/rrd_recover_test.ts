import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type MemoryFiles, memoryFiles } from "../../../lib/adapters/files/memory_files.ts";
import type { FileAdapter } from "../../../lib/adapters/files/types.ts";
import { decodeRrdHeader } from "../../../lib/encoding/rrd_header.ts";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import { PartExists } from "../../../lib/base/errors.ts";
import { xxh32 } from "../../../lib/encoding/rrd/xxh32.ts";
import { encodeStoreInfo } from "../../../lib/encoding/rrd/encode_store_info.ts";
import { rrdFileSink, type RrdFileSinkOptions } from "../../../lib/sinks/file/rrd_file.ts";
import { scan } from "../../recordings/inputs.ts";
import { announcement, chunk, received } from "../../forward/chunks.ts";
import { CAPTURE, change, copyOf, indexOf, killed, names, wholeIn } from "../leftovers.ts";
import { bytesOf, concat, header, keptLog, message } from "../messages.ts";

const PART = "a.rrd.part";
const ZEROS = 4096;
/** Bytes of an end marker in msgpack. */
const MARKER = 8;
const always = { sync: "always" } as const;

/** A run that starts, waits for the recovery, and ends. */
async function restart(
  files: MemoryFiles,
  over: Partial<RrdFileSinkOptions> = {},
): Promise<ReturnType<typeof keptLog>> {
  const log = keptLog();
  const sink = await rrdFileSink({ path: "a.rrd", files, log, force: true, ...over });
  await sink.recovered;
  await sink.close();
  return log;
}

const OTHER = new TextEncoder().encode("somebody's");

async function put(files: MemoryFiles, path: string, bytes: Uint8Array): Promise<void> {
  await (await files.create(path, "replace")).write(bytes);
}

/** Everything of a leftover that is in files now, each message once. */
function found(files: MemoryFiles): Set<string> {
  return new Set(names(files).flatMap((name) => wholeIn(files.read(name)!)));
}

function zeros(bytes: Uint8Array, at: number, length: number): Uint8Array {
  return bytes.fill(0, at, at + length);
}

/** What a leftover may be like, and how many of its files there are then. */
const LEFTOVERS = {
  whole: { how: (bytes: Uint8Array) => bytes, originals: 0 },
  torn: { how: (bytes: Uint8Array) => bytes.subarray(0, -100), originals: 0 },
  "zeros at its end": {
    how: (bytes: Uint8Array) => concat(bytes, new Uint8Array(ZEROS)),
    originals: 0,
  },
  "zeros inside": {
    how: (bytes: Uint8Array) => zeros(bytes, Math.min(20_000, bytes.length >> 1), ZEROS),
    originals: 1,
  },
  "an end marker inside": {
    how: (bytes: Uint8Array) => {
      const messages = scan([bytes]).parts.filter(({ kind }) => kind === "message");
      const { offset } = messages[messages.length >> 1]!;
      return concat(bytes.subarray(0, offset), new Uint8Array(MARKER), bytes.subarray(offset));
    },
    originals: 1,
  },
  "no header": { how: (bytes: Uint8Array) => zeros(bytes, 0, 12), originals: 1 },
} as const;

describe("rrdFileSink and what an earlier run left", () => {
  it("loses no message of it that rrd recover finds, whatever it is like", async () => {
    for (const [what, { how, originals }] of Object.entries(LEFTOVERS)) {
      const files = await killed("a.rrd", undefined, always);
      const before = await change(files, PART, how);
      const log = await restart(files);
      const copy = files.read("a.2.rrd")!;
      const whole = wholeIn(before);
      assert(whole.length > 15, `${what}: ${whole.length}`);
      assertEquals(wholeIn(copy), whole, what);
      const expected = ["a.2.rrd", ...(originals > 0 ? ["a.2.rrd.damaged"] : []), "a.rrd"];
      assertEquals(names(files), expected, what);
      if (originals > 0) {
        assertEquals(files.read("a.2.rrd.damaged"), before, what);
        assert(log.of("warn")[0]!.includes("the original is a.2.rrd.damaged"), log.of("warn")[0]);
      } else assertEquals(copy, before.subarray(0, copy.length), what);
      assertEquals(log.of("warn").length, 1, `${what}: ${log.of("warn")}`);
      assertEquals(log.of("error"), [], what);
      const line = indexOf(files, "a.rrd.index.jsonl").findLast(({ name }) => name === "a.2.rrd")!;
      const hash = `xxh32:${xxh32(copy, 0).toString(16).padStart(8, "0")}`;
      const known = [line["state"], line["bytes"], line["messages"], line["hash"], line["damaged"]];
      const damaged = originals > 0 ? before.length : undefined;
      assertEquals(known, ["closed", copy.length, whole.length, hash, damaged], what);
    }
  });

  it("cuts it wherever it was torn, and in place", async () => {
    const left = await killed("a.rrd", undefined, always);
    const bytes = left.read(PART)!;
    for (let size = 0; size <= 3000; size += 37) {
      const files = await copyOf(left);
      await change(files, PART, (bytes) => bytes.subarray(0, size));
      const log = await restart(files);
      const whole = wholeIn(bytes.subarray(0, size));
      assertEquals(wholeIn(files.read("a.2.rrd") ?? new Uint8Array(0)), whole);
      assertEquals(names(files), whole.length === 0 ? ["a.rrd"] : ["a.2.rrd", "a.rrd"]);
      assertEquals(log.of("warn").length, 1);
    }
  });

  it("takes messages that only larger limits had let in", async () => {
    // More text than the default of --max-text, and more depth of nothing else.
    const id = "x".repeat(1_500_000);
    const info = {
      applicationId: "app",
      storeId: { kind: "Recording", id },
      isOfficialExample: false,
      started: 5n,
      storeSource: { kind: "Unknown" },
    } as const;
    const large = encodeStoreInfo(header([0, 22, 1]), info);
    const stream = concat(header([0, 22, 1]).bytes, large);
    assert(new RrdDecoder().push(stream).error !== undefined);
    const messages = [message(decodeRrdHeader(stream), large)];
    const files = await killed("a.rrd", messages, always);
    await restart(files);
    assertEquals(files.read("a.2.rrd")?.length, stream.length);
  });

  it("gives its name to what is sound before it is looked into, and goes on next time", async () => {
    const left = await killed("a.rrd", undefined, always);
    await change(left, PART, (bytes) => zeros(bytes, bytes.length - 50, 50));
    const before = left.read(PART)!;
    const reached = Promise.withResolvers<void>();
    const files = await copyOf(left, async ({ kind, path }) => {
      if (kind !== "open" || !path.startsWith("a.2.rrd")) return;
      reached.resolve();
      await new Promise((resolve) => setTimeout(resolve, 0));
    });
    const timers: (() => void)[] = [];
    const timer = (_: number, callback: () => void) => {
      timers.push(callback);
      return () => {};
    };
    const log = keptLog();
    const sink = await rrdFileSink({ path: "a.rrd", files, log, timer, sync: "never" });
    await reached.promise;
    assertEquals(files.read("a.2.rrd"), before);
    const closing = sink.close();
    await Promise.resolve();
    for (const callback of timers) callback();
    await closing;
    assertEquals(files.read("a.2.rrd"), before);
    await restart(files);
    assertEquals(wholeIn(files.read("a.2.rrd")!), wholeIn(before));
    assert(files.read("a.2.rrd")!.length < before.length);
    assertEquals(names(files), ["a.2.rrd", "a.rrd"]);
  });

  for (const [what, { how }] of Object.entries(LEFTOVERS)) {
    it(`recognises every state in which the recovery may be killed: ${what}`, async () => {
      const left = await killed("a.rrd", CAPTURE.slice(0, 8), always);
      const before = await change(left, PART, how);
      const whole = new Set(wholeIn(before));
      let operations = 0;
      await restart(await copyOf(left, () => void operations++));
      for (let k = 0; k < operations; k++) {
        let count = 0;
        const files = await copyOf(left, ({ kind, bytes }) => {
          if (count++ < k) return;
          // A write may be cut in the middle.
          if (count === k + 1 && kind === "write" && bytes!.length > 1) return bytes!.length >> 1;
          throw new Error("killed");
        });
        await restart(files).catch(() => {});
        const after = await copyOf(files);
        await restart(after);
        await restart(after);
        const at = `killed at operation ${k}: ${names(after)}`;
        const texts = found(after);
        for (const text of whole) assert(texts.has(text), at);
        assert(!names(after).some((name) => /\.(part|new)$/.test(name)), at);
        assert(names(after).filter((name) => name.endsWith(".damaged")).length <= 1, at);
      }
    });
  }

  it("keeps it under its name where the disk is full, says what is needed, and tries again", async () => {
    const left = await killed("a.rrd", undefined, always);
    const before = await change(left, PART, LEFTOVERS["no header"].how);
    let isFull = true;
    const files = await copyOf(left, ({ kind, path }) => {
      if (isFull && kind === "write" && path.endsWith(".new")) throw new Error("ENOSPC");
    });
    const log = keptLog();
    const sink = await rrdFileSink({ path: "a.rrd", files, log });
    await sink.write([message(header([0, 22, 1]), new Uint8Array(100).fill(1))]);
    await sink.recovered;
    await sink.close();
    assertEquals(sink.kept.messages, 1);
    assertEquals(log.of("error").length, 1);
    assert(
      /ENOSPC \(about \d+ bytes more are needed/.test(log.of("error")[0]!),
      log.of("error")[0],
    );
    assertEquals(names(files), ["a.2.rrd.part", "a.rrd"]);
    assertEquals(files.read("a.2.rrd.part"), before);
    isFull = false;
    await restart(files);
    assertEquals(names(files), ["a.2.rrd", "a.2.rrd.damaged", "a.rrd"]);
  });

  it("takes no file of somebody else for the original of a copy that was cut off", async () => {
    const left = await killed("a.rrd", undefined, always);
    const before = await change(left, PART, LEFTOVERS["zeros inside"].how);
    let half: MemoryFiles | undefined;
    const files = await copyOf(left, async ({ kind, path }) => {
      if (kind === "sync" && path.endsWith(".new")) half = await copyOf(files);
    });
    await restart(files);
    await put(half!, "a.2.rrd.new", files.read("a.2.rrd")!.subarray(0, 500)); // what was written yet
    await put(half!, "a.2.rrd.damaged", OTHER);
    const log = await restart(half!);
    assertEquals(half!.read("a.2.rrd.damaged"), OTHER);
    assertEquals(half!.read(half!.paths.includes("a.2.rrd") ? "a.2.rrd" : "a.2.rrd.part"), before);
    assert(log.of("error")[0]?.includes("a.2.rrd.damaged is in the way"), log.of("error")[0]);
    await half!.remove("a.2.rrd.damaged");
    await restart(half!);
    assertEquals(half!.read("a.2.rrd"), files.read("a.2.rrd"));
    assertEquals(half!.read("a.2.rrd.damaged"), before);
  });

  it("does not replace what somebody gave the name of an original meanwhile", async () => {
    const left = await killed("a.rrd", undefined, always);
    const before = await change(left, PART, (bytes) => bytes.fill(7));
    const files: MemoryFiles = await copyOf(left, async ({ kind, path }) => {
      const isLookedAt = kind === "openAt" && path === "a.2.rrd.part";
      if (isLookedAt && !files.paths.includes("a.2.rrd.damaged")) {
        await put(files, "a.2.rrd.damaged", OTHER);
      }
    });
    const log = await restart(files);
    assertEquals(files.read("a.2.rrd.damaged"), OTHER);
    assertEquals(files.read("a.2.rrd.part"), before);
    assert(log.of("error")[0]?.includes("a.2.rrd.damaged is in the way"), log.of("error")[0]);
  });

  it("touches nothing that somebody gives the name of a copy that did not fit", async () => {
    const left = await killed("a.rrd", undefined, always);
    await change(left, PART, LEFTOVERS["zeros inside"].how);
    const files = await copyOf(left, ({ kind, path, bytes }) => {
      const isCopy = kind === "write" && path.endsWith(".new");
      if (isCopy && bytes!.length !== OTHER.length) throw new Error("ENOSPC");
    });
    await restart(files);
    await put(files, "a.2.rrd.new", OTHER);
    await restart(files);
    assertEquals(files.read("a.2.rrd.new"), OTHER);
  });

  it("leaves one that can't be read, says so and goes on beside it", async () => {
    const left = await killed("a.rrd", undefined, always);
    const files = await copyOf(left, ({ kind, path }) => {
      if (kind === "openAt" && path === "a.rrd.part") throw new Error("EACCES");
      if (kind === "openAt" && path === "a.2.rrd.part") throw new Error("EACCES");
    });
    const log = await restart(files, { path: "{part}.rrd" });
    assertEquals(log.of("error"), []);
    assertEquals(names(files), [PART]);
  });

  it("numbers on behind it, and reserves its name at once", async () => {
    const left = await killed("p-{part}.rrd", undefined, always);
    const files = await copyOf(left);
    const log = keptLog();
    const sink = await rrdFileSink({ path: "p-{part}.rrd", files, log });
    await sink.write([message(header([0, 22, 1]), new Uint8Array(9).fill(1))]);
    await sink.close();
    assertEquals(names(files), ["p-0001.rrd", "p-0002.rrd"]);
    assertEquals(wholeIn(files.read("p-0001.rrd")!), wholeIn(left.read("p-0001.rrd.part")!));
  });
});

describe("rrdFileSink and pipes that have the names of files", () => {
  /** As a pipe does, it opens only once somebody opens its other end. */
  const withPipe = (files: MemoryFiles, pipe: string): FileAdapter => ({
    ...files,
    list: async (folder) => [...await files.list(folder), pipe],
    kind: (path) => path === pipe ? Promise.resolve("other") : files.kind(path),
    open: (path) => path === pipe ? new Promise(() => {}) : files.open(path),
    openAt: (path) => path === pipe ? new Promise(() => {}) : files.openAt(path),
    create: (path, mode) =>
      path === pipe && mode !== "new" ? new Promise(() => {}) : files.create(path, mode),
  });
  const save = async (files: FileAdapter) => {
    const log = keptLog();
    const sink = await rrdFileSink({ path: "p-{part}.rrd", files, log });
    await sink.write([message(header([0, 22, 1]), new Uint8Array(9).fill(1))]);
    await sink.close();
    return log;
  };

  it("waits for none of them", async () => {
    for (const pipe of ["x.rrd.part", "p-0001.rrd.part", "p-{part}.rrd.index.jsonl"]) {
      const files = memoryFiles();
      const log = await save(withPipe(files, pipe));
      assertEquals(names(files), [pipe.startsWith("p-0") ? "p-0002.rrd" : "p-0001.rrd"]);
      assertEquals(log.of("warn").length, pipe.includes("index") ? 2 : 0, log.of("warn").join());
    }
  });

  it("recovers none that took the place of a leftover", async () => {
    const left = await killed("p-{part}.rrd", undefined, always);
    const files = await copyOf(left);
    await files.remove("p-0001.rrd.part");
    const log = await save(withPipe(files, "p-0001.rrd.part"));
    assert(log.of("error")[0]!.includes("it is no file any more"), log.of("error")[0]);
    assertEquals(names(files), ["p-0002.rrd"]);
  });
});

describe("rrdFileSink and files of others", () => {
  const foreign = async (files: MemoryFiles, path: string, text: string) => {
    await (await files.create(path, "new")).write(new TextEncoder().encode(text));
  };

  it("touches nothing beside which it can't save under a fixed name", async () => {
    for (const text of ["notes of the user", "RRF2 of version 0.1"]) {
      for (const force of [false, true]) {
        const files = memoryFiles();
        await foreign(files, PART, text);
        const error = await assertRejects(
          () => rrdFileSink({ path: "a.rrd", files, force }),
          PartExists,
        );
        assert(error.message.includes("rrd recover a.rrd.part"));
        assertEquals(files.paths, [PART]);
        assertEquals(new TextDecoder().decode(files.read(PART)), text);
      }
    }
  });

  it("takes the next number of a pattern, and tells recordings of version 0.1 in one line", async () => {
    const files = memoryFiles();
    await foreign(files, "p-0001.rrd.part", "<html>half a download</html>");
    await foreign(files, "p-0002.rrd.part", "RRF2 of version 0.1");
    await foreign(files, "p-0003.rrd.part", "RRF2 of another program");
    const log = keptLog();
    const sink = await rrdFileSink({ path: "p-{part}.rrd", files, log });
    await sink.write([message(header([0, 22, 1]), new Uint8Array(9).fill(1))]);
    await sink.close();
    const expected = ["p-0001.rrd.part", "p-0002.rrd.part", "p-0003.rrd.part", "p-0004.rrd"];
    assertEquals(names(files), expected);
    assertEquals(log.of("warn").length, 1);
    assert(
      log.of("warn")[0]!.includes("p-0002.rrd.part alone, and 1 more") &&
        log.of("warn")[0]!.endsWith("rrd recover p-0002.rrd.part -o p-0002.rrd"),
      log.of("warn")[0],
    );
  });

  it("names a file in the index, on the disk, before it makes it", async () => {
    const files = memoryFiles(({ kind, path }) => {
      if (kind !== "create" || !path.endsWith(".part")) return;
      const synced = new TextDecoder().decode(files.readSynced("p-{part}.rrd.index.jsonl"));
      const line = synced.trim().split("\n").map((line) => JSON.parse(line))
        .findLast(({ name }) => `${name}.part` === path);
      assert(line.id.length > 30 && line.state === "writing");
    });
    const sink = await rrdFileSink({ path: "p-{part}.rrd", files, rotation: { maxBytes: 50 } });
    for (let i = 0; i < 3; i++) {
      await sink.write([message(header([0, 22, 1]), new Uint8Array(60).fill(i + 1))]);
    }
    await sink.close();
    const ids = indexOf(files, "p-{part}.rrd.index.jsonl").map(({ id }) => id);
    assertEquals([new Set(ids).size, names(files).length], [3, 3]);
  });
});

describe("rrdFileSink's index", () => {
  it("says what is in a file that was closed", async () => {
    const files = memoryFiles();
    let ms = 1000;
    const sink = await rrdFileSink({ path: "{recording_id}.rrd", files, date: () => ms++ });
    await sink.write(CAPTURE);
    await sink.close();
    const [line] = indexOf(files, "{recording_id}.rrd.index.jsonl")
      .filter(({ state, kind }) => kind === "file" && state === "closed");
    const { id: _, name, group, firstAt, lastAt, introduction, hash, ...rest } = line!;
    const bytes = files.read(name as string)!;
    const { payload } = CAPTURE[0]!;
    if (payload.type !== "msg" || payload.msg.kind !== "SetStoreInfo") throw new Error();
    const { applicationId, storeId } = payload.msg.info;
    assertEquals(rest, {
      kind: "file",
      state: "closed",
      bytes: bytes.length,
      hasData: true,
      footer: "none",
      forwarded: 0,
      application: applicationId,
      recording: storeId.id,
      recordings: 1,
      messages: sink.kept.messages,
      sdk: "0.22.1",
    });
    assertEquals(hash, `xxh32:${xxh32(bytes, 0).toString(16).padStart(8, "0")}`);
    assert((firstAt as number) >= 1000 && (lastAt as number) >= (firstAt as number));
    assert((introduction as number) >= 0);
    assert(/^[0-9a-f]{8}$/.test(group as string));
  });

  it("goes on behind a line that was torn, and keeps what it can't read", async () => {
    const files = await killed("p-{part}.rrd", undefined, always);
    const path = "p-{part}.rrd.index.jsonl";
    const half = new TextEncoder().encode('{"kind":"removed","na');
    await change(files, path, (bytes) => concat(bytes, half));
    await restart(files, { path: "p-{part}.rrd", force: false });
    const text = new TextDecoder().decode(files.read(path));
    const torn = text.split("\n").filter((line) => line !== "" && !line.endsWith("}"));
    assertEquals(torn.length, 1, text);
    assertEquals(names(files), ["p-0001.rrd"]);
  });

  it("removes an original together with what was recovered of it, and counts it", async () => {
    const files = await killed("p-{part}.rrd", undefined, always);
    await change(files, "p-0001.rrd.part", LEFTOVERS["zeros inside"].how);
    const one = () => message(header([0, 22, 1]), new Uint8Array(60).fill(1));
    const run = async (over: Partial<RrdFileSinkOptions>) => {
      const sink = await rrdFileSink({ path: "p-{part}.rrd", files, ...over });
      await sink.recovered;
      await sink.write([one()]);
      await sink.close();
      return names(files);
    };
    const both = ["p-0001.rrd", "p-0001.rrd.damaged"];
    assertEquals(await run({}), [...both, "p-0002.rrd"]);
    const size = files.read("p-0001.rrd")!.length;
    // Without its original it would fit.
    assertEquals(await run({ keep: { bytes: size + 1000 } }), ["p-0002.rrd", "p-0003.rrd"]);
  });

  it("takes a recovered file for older than what is closed in the run that recovers it", async () => {
    const files = await killed("p-{part}.rrd", undefined, always);
    const reached = Promise.withResolvers<void>();
    const slow = await copyOf(files, async ({ kind, path }) => {
      if (kind === "open" && path.startsWith("p-0001")) await reached.promise;
    });
    const one = (n: number) => message(header([0, 22, 1]), new Uint8Array(60).fill(n));
    const over = { rotation: { maxBytes: 50 }, keep: { files: 2 } };
    const sink = await rrdFileSink({ path: "p-{part}.rrd", files: slow, ...over });
    for (let i = 1; i < 4; i++) await sink.write([one(i)]);
    reached.resolve();
    await sink.recovered;
    await sink.close();
    assertEquals(names(slow), ["p-0003.rrd", "p-0004.rrd"]);
    assertEquals(bytesOf(one(3)).length, 60);
  });
});

describe("rrdFileSink, after a run that left many files", () => {
  it("names them side by side, so that a start waits for the disk a few times only", async () => {
    const path = "{recording_id}-{part}.rrd";
    const ids = Array.from({ length: 200 }, (_, i) => `r${i}`);
    const messages = ids.flatMap((id) => [received(announcement(id)), received(chunk(id, 0))]);
    const left = await killed(path, messages, always);
    assertEquals(left.paths.filter((path) => path.endsWith(".part")).length, 200);
    let syncs = 0;
    const files = await copyOf(left, ({ kind, path }) => {
      if (kind === "sync" && path.endsWith(".index.jsonl")) syncs++;
    });
    const sink = await rrdFileSink({ path, files });
    assert(syncs < 20, `${syncs} syncs`);
    await sink.recovered;
    await sink.close();
    assertEquals(names(files).toSorted(), ids.map((id) => `${id}-0001.rrd`).toSorted());
  });
});
