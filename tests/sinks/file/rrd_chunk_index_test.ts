import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FileOperation, memoryFiles } from "../../../lib/adapters/files/memory_files.ts";
import type { MemoryFiles } from "../../../lib/adapters/files/memory_files.ts";
import { loadFileAdapter } from "../../../lib/adapters/load.ts";
import { Bridge } from "../../../lib/bridge/mod.ts";
import { ArrowMsg } from "../../../lib/encoding/arrow_msg.ts";
import { isTrailer, TRAILER_BYTES } from "../../../lib/encoding/rrd/footer.ts";
import type { SmartMessage } from "../../../lib/flow/channel/smart_message.ts";
import { ClosedHashes } from "../../../lib/sinks/file/parts/closed_hashes.ts";
import { rrdFileSink, type RrdFileSinkOptions } from "../../../lib/sinks/file/rrd_file.ts";
import { capturedMessages } from "../../bridge/chunks.ts";
import { withFooter } from "../../chunk_index/footers.ts";
import { grpcMessages } from "../../grpc_frames.ts";
import { change, copyOf } from "../leftovers.ts";
import { keptLog } from "../messages.ts";

/** What an SDK logged by gRPC. */
const MESSAGES: readonly SmartMessage[] = grpcMessages("0.41.0-mixed").map((msg) => ({
  source: { kind: "tcp-client", id: 1 },
  payload: { type: "msg", msg },
  time: 0,
}));

/** What an older SDK logged, in today's form. */
function bridged(name: string): readonly SmartMessage[] {
  const { items } = new Bridge().push(capturedMessages(name));
  return items.map((msg) => ({
    source: { kind: "tcp-client", id: 1 },
    payload: { type: "msg", msg },
    time: 0,
  }));
}

async function save(
  files: MemoryFiles,
  over: Partial<RrdFileSinkOptions> = {},
  messages = MESSAGES,
): Promise<void> {
  const sink = await rrdFileSink({ path: "{part}.rrd", files, chunkIndex: true, ...over });
  await sink.write(messages);
  await sink.close();
}

/** Starts once more, and ends when the files of before have what they are to have. */
async function startAgain(files: MemoryFiles, over: Partial<RrdFileSinkOptions> = {}) {
  const sink = await rrdFileSink({ path: "{part}.rrd", files, chunkIndex: true, ...over });
  await sink.recovered;
  await sink.indexed;
  await sink.close();
}

/** The last line of the index about a file. */
function lineOf(files: MemoryFiles, name = "0001.rrd"): Record<string, unknown> {
  const text = new TextDecoder().decode(files.read("{part}.rrd.index.jsonl"));
  const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  return lines.filter((line) => line.name === name).at(-1);
}

/** What differs from what was noted. */
async function differs(files: MemoryFiles, path = "0001.rrd"): Promise<string | undefined> {
  const check = await new ClosedHashes(files).of(path);
  assert(check !== undefined, "nothing was noted");
  for await (const bytes of await files.open(path)) check.add(bytes);
  return check.finish();
}

/** The file as it is without its index. */
async function plain(): Promise<Uint8Array> {
  const files = memoryFiles();
  await save(files, { chunkIndex: false });
  return files.read("0001.rrd")!;
}

function hasFooter(bytes: Uint8Array): boolean {
  return isTrailer(bytes, bytes.length - TRAILER_BYTES);
}

describe("files that a sink closes", () => {
  it("are whole, with their end marker, when the disk is full before the list is written", async () => {
    let isFull = false;
    const files: MemoryFiles = memoryFiles(({ kind, path }) => {
      if (kind === "openAt" && path.endsWith(".part")) isFull = true; // to be listed
      if (kind === "write" && isFull && path.endsWith(".part")) throw new Error("ENOSPC");
    });
    const log = keptLog();
    const sink = await rrdFileSink({ path: "{part}.rrd", files, chunkIndex: true, log });
    await sink.write(MESSAGES);
    await sink.close();
    assertEquals([isFull, sink.failed, sink.lost.messages], [true, false, 0]);
    assertEquals(files.read("0001.rrd"), await plain());
    const [told] = log.of("warn");
    assertStringIncludes(told!, "0001.rrd has no chunk index: ENOSPC; the next start tries again");
    assertStringIncludes(told!, "rrd index 0001.rrd does now");
  });

  it("tell a chunk that can't be read in a warning, with the command that keeps the rest", async () => {
    const files = memoryFiles();
    const log = keptLog();
    const at = MESSAGES.findLastIndex(({ payload }) =>
      payload.type === "msg" && payload.msg.kind === "ArrowMsg"
    );
    const messages = MESSAGES.map((message, i) => {
      if (i !== at || message.payload.type !== "msg") return message;
      const { msg } = message.payload;
      const bytes = msg.encoded.bytes.slice();
      bytes.fill(0x5a, bytes.length >> 1);
      return {
        ...message,
        payload: { type: "msg", msg: { ...msg, encoded: { ...msg.encoded, bytes } } },
      };
    }) as SmartMessage[];
    await save(files, { log }, messages);
    const [told, ...more] = log.of("warn");
    assertEquals(more, []);
    assertStringIncludes(told!, "0001.rrd has no chunk index: the message at byte ");
    assertStringIncludes(told!, "; rrd recover 0001.rrd -o 0001.whole.rrd writes what is whole");
    assertEquals(lineOf(files).footer, "none");
  });

  it("are whole when the disk fails while the list is made to count", async () => {
    let failures = 1;
    const files = memoryFiles(({ kind, path }) => {
      if (kind === "writeAt" && path.endsWith(".part") && failures-- > 0) throw new Error("EIO");
    });
    await save(files);
    assertEquals(files.read("0001.rrd"), await plain());
  });

  it("end with a list of their chunks, and are noted so that it may be renewed", async () => {
    const files = memoryFiles();
    await save(files);
    const whole = await withFooter(await plain());
    assertEquals(files.read("0001.rrd"), whole);
    assertEquals(files.paths.sort(), ["0001.rrd", "{part}.rrd.index.jsonl"]);
    const { state, footer, bytes, plain: length } = lineOf(files);
    assertEquals([state, footer, bytes], ["closed", "ok", whole.length]);
    assertEquals(length, (await plain()).length);
    assertEquals(await differs(files), undefined);
    await change(files, "0001.rrd", () => whole.subarray(0, whole.length - 1));
    // What is inside of a footer its own checksum tells, and `verify` reads.
    assertEquals(await differs(files), undefined);
    await change(files, "0001.rrd", () => whole.with(500, whole[500]! ^ 1));
    assertStringIncludes((await differs(files))!, "its hash is");
    await change(files, "0001.rrd", () => whole.subarray(0, (length as number) - 1));
    assertStringIncludes((await differs(files))!, "it has");
  });

  it("may get or lose it by other means: the hash is of what was logged", async () => {
    const files = memoryFiles();
    await save(files, { chunkIndex: false });
    const bytes = files.read("0001.rrd")!;
    const whole = await withFooter(bytes);
    await change(files, "0001.rrd", () => whole);
    assertEquals(await differs(files), undefined);
    await change(files, "0001.rrd", () => whole.with(500, whole[500]! ^ 1));
    assertStringIncludes((await differs(files))!, "its hash is");
    // Zeros behind the end are no list of chunks.
    await change(files, "0001.rrd", () => new Uint8Array([...bytes, 0, 0]));
    assertStringIncludes((await differs(files))!, "it has");
    const listed = memoryFiles();
    await save(listed);
    await change(listed, "0001.rrd", () => bytes);
    assertEquals(await differs(listed), undefined);
  });

  it("may get it by other means where a run was killed before the end marker", async () => {
    const files = memoryFiles();
    const sink = await rrdFileSink({ path: "{part}.rrd", files, chunkIndex: true });
    await sink.write(MESSAGES);
    const killed = await copyOf(files);
    await sink.close();
    const bytes = await plain();
    const part = await killed.create("0001.rrd.part", "replace");
    await part.write(bytes.subarray(0, -16));
    await startAgain({ ...killed, freeBytes: () => Promise.resolve(0) });
    assertEquals(killed.read("0001.rrd"), bytes.subarray(0, -16));
    assertEquals(lineOf(killed)["footer"], "pending");
    assertEquals(await differs(killed), undefined);
    const whole = await withFooter(bytes);
    for (const now of [bytes, whole]) {
      await change(killed, "0001.rrd", () => now);
      assertEquals(await differs(killed), undefined);
    }
    await change(killed, "0001.rrd", () => whole.with(500, whole[500]! ^ 1));
    assertStringIncludes((await differs(killed))!, "its hash is");
    await change(killed, "0001.rrd", () => new Uint8Array([...bytes, 0, 0]));
    assertStringIncludes((await differs(killed))!, "it has");
    // Nor does the next start, which wanted to add one, take it for another file.
    await change(killed, "0001.rrd", () => whole);
    await startAgain(killed);
    assertEquals(killed.read("0001.rrd"), whole);
    assertEquals(lineOf(killed)["footer"], "ok");
  });

  it("may get it where the last message ends as the header of a list does", async () => {
    const messages = bridged("0.20.3-mixed");
    const files = memoryFiles();
    await save(files, { chunkIndex: false }, messages);
    const bytes = files.read("0001.rrd")!;
    assertEquals([...bytes.subarray(-32, -16)].slice(0, 9), [0, 0, 0, 0, 0, 0, 0, 0, 255]);
    const killed = memoryFiles();
    const sink = await rrdFileSink({ path: "{part}.rrd", files: killed });
    await sink.write(messages);
    const left = await copyOf(killed);
    await sink.close();
    const part = await left.create("0001.rrd.part", "replace");
    await part.write(bytes.subarray(0, -16));
    await startAgain({ ...left, freeBytes: () => Promise.resolve(0) });
    assertEquals(left.read("0001.rrd"), bytes.subarray(0, -16));
    for (const now of [bytes.subarray(0, -16), bytes, await withFooter(bytes)]) {
      await change(left, "0001.rrd", () => now);
      assertEquals(await differs(left), undefined);
      await change(left, "0001.rrd", () => now.with(500, now[500]! ^ 1));
      assertStringIncludes((await differs(left))!, "its hash is");
    }
  });

  it("have none of SDK 0.23, which left ids out, but in today's form", async () => {
    const messages = grpcMessages("0.23.4-mixed").map((msg) => ({
      ...{ source: { kind: "tcp-client", id: 1 }, payload: { type: "msg", msg }, time: 0 } as const,
    }));
    const files = memoryFiles();
    const log = keptLog();
    await save(files, { log }, messages);
    assertEquals([hasFooter(files.read("0001.rrd")!), lineOf(files)["footer"]], [false, "none"]);
    assertStringIncludes(log.of("info").join(), "--rrd-format current");
    const current = memoryFiles();
    await save(current, { rrdFormat: "current" }, messages);
    assertEquals(lineOf(current)["footer"], "ok");
    assertEquals(current.read("0001.rrd"), await withFooter(current.read("0001.rrd")!));
  });

  it("have none where that is not wanted, or the SDK is older", async () => {
    const files = memoryFiles();
    await save(files, { chunkIndex: false });
    assertEquals([hasFooter(files.read("0001.rrd")!), lineOf(files)["footer"]], [false, "none"]);
    const { CAPTURE } = await import("../leftovers.ts");
    const old = memoryFiles();
    await save(old, {}, CAPTURE);
    assertEquals([hasFooter(old.read("0001.rrd")!), lineOf(old)["footer"]], [false, "none"]);
  });

  it("are whole though their index can't be written, and get it at the next start", async () => {
    for (const failing of ["write", "sync", "writeAt"] as const) {
      const size = (await plain()).length;
      let isReady = false;
      const files: MemoryFiles = memoryFiles(({ kind, path, bytes }) => {
        if (path !== "0001.rrd.part" || !isReady) return;
        // Behind the end marker, and but once: what cuts it off works.
        const isBehind = (files.read(path)?.length ?? 0) >= size;
        if (kind !== failing || !isBehind || kind === "write" && bytes!.length < 17) return;
        if (kind === "sync" && files.read(path)!.length === size) return;
        isReady = false;
        throw new Error("EIO");
      });
      isReady = true;
      await save(files);
      assertEquals(isReady, false, failing);
      assertEquals(files.read("0001.rrd"), await plain(), failing);
      assertEquals([lineOf(files)["state"], lineOf(files)["footer"]], ["closed", "pending"]);
      assertEquals(await differs(files), undefined);
      await startAgain(files);
      assertEquals(files.read("0001.rrd"), await withFooter(await plain()));
      assertEquals([lineOf(files)["footer"], lineOf(files)["state"]], ["ok", "closed"]);
      assertEquals(await differs(files), undefined);
      assertEquals(files.paths.filter((path) => path.endsWith(".new")), []);
    }
  });

  it("lose nothing and end with their index, wherever a run was killed", async () => {
    const whole = await withFooter(await plain());
    const left: MemoryFiles[] = [];
    const files: MemoryFiles = memoryFiles(async () => {
      left.push(await copyOf(files));
    });
    await save(files);
    assert(left.length > 10);
    let recovered = 0;
    for (const killed of left) {
      const size = killed.read("0001.rrd.part")?.length ?? killed.read("0001.rrd")?.length ?? 0;
      if (size < (await plain()).length) continue;
      recovered++;
      await startAgain(killed);
      assertEquals(killed.read("0001.rrd"), whole);
      assertEquals(await differs(killed), undefined);
      assertEquals(killed.paths.includes("0001.rrd.part"), false);
    }
    assert(recovered > 5, `${recovered}`);
  });

  it("are cut to their last message where a footer was torn, and get another", async () => {
    const bytes = await plain();
    const whole = await withFooter(bytes);
    const torn = [
      whole.subarray(0, whole.length - 1),
      whole.subarray(0, bytes.length + 40),
      // The header of the footer was not on the disk.
      whole.slice().fill(0, bytes.length - 16, bytes.length),
      // The footer was not on the disk.
      whole.slice().fill(0, bytes.length, whole.length - 200),
    ];
    for (const [i, left] of torn.entries()) {
      const files = memoryFiles();
      const sink = await rrdFileSink({ path: "{part}.rrd", files, chunkIndex: true });
      await sink.write(MESSAGES);
      const killed = await copyOf(files);
      await sink.close();
      const part = await killed.create("0001.rrd.part", "replace");
      await part.write(left);
      await startAgain(killed);
      assertEquals(killed.read("0001.rrd"), whole, `${i}`);
      assertEquals(await differs(killed), undefined);
    }
  });
});

describe("files that get their index later", () => {
  /** Files of a run that had no time for it. */
  async function pending(log = keptLog()): Promise<MemoryFiles> {
    const files = memoryFiles();
    let stop = () => {};
    const sink = await rrdFileSink({
      ...{ path: "{part}.rrd", chunkIndex: true, sync: "never", log },
      // Nothing is read before the time is over.
      files: {
        ...files,
        openAt: async (path) => {
          if (path.endsWith(".part")) {
            stop();
            await new Promise(() => {});
          }
          return await files.openAt(path);
        },
      },
      timer: (_, callback) => {
        stop = callback;
        return () => {};
      },
    });
    await sink.write(MESSAGES);
    await sink.close();
    assertEquals(files.read("0001.rrd"), await plain());
    assertEquals([lineOf(files)["state"], lineOf(files)["footer"]], ["closed", "pending"]);
    return files;
  }

  it("are closed plainly when the time is over", async () => {
    const files = await pending();
    await startAgain(files);
    assertEquals(files.read("0001.rrd"), await withFooter(await plain()));
    assertEquals(await differs(files), undefined);
  });

  it("are told when it stops, with when they get it", async () => {
    const log = keptLog();
    const files = await pending(log);
    const [told, ...others] = log.of("info").filter((text) => text.includes("chunk index"));
    assertEquals(others, []);
    assertStringIncludes(told!, "0001.rrd waits for a chunk index: the next start that saves");
    const again = keptLog();
    const sink = await rrdFileSink({ path: "{part}.rrd", chunkIndex: true, files, log: again });
    await sink.indexed;
    await sink.close();
    assertEquals(again.of("info").filter((text) => text.includes("waits for")), []);
  });

  it("are told once, however many wait", async () => {
    const log = keptLog();
    const files = await pending();
    const before = files.read("{part}.rrd.index.jsonl")!;
    const line = JSON.parse(new TextDecoder().decode(before).trim().split("\n").at(-1)!);
    const more = ["0002.rrd", "0003.rrd"];
    for (const name of more) {
      const file = await files.create(name, "new");
      await file.write(files.read("0001.rrd")!);
      const index = await files.create("{part}.rrd.index.jsonl", "append");
      const other = { ...line, id: crypto.randomUUID(), name };
      await index.write(new TextEncoder().encode(`${JSON.stringify(other)}\n`));
    }
    const sink = await rrdFileSink({ path: "{part}.rrd", chunkIndex: true, files, log });
    await sink.close();
    const told = log.of("info").filter((text) => text.includes("for a chunk index"));
    assertEquals(told.length, 1, told.join());
    assert(/^0001\.rrd and 2 more wait for a chunk index/.test(told[0]!), told[0]);
  });

  it("are whole wherever a run was killed that writes them anew", async () => {
    const whole = await withFooter(await plain());
    const left: MemoryFiles[] = [];
    const files: MemoryFiles = await copyOf(await pending(), async () => {
      left.push(await copyOf(files));
    });
    await startAgain(files);
    assert(left.some((killed) => killed.paths.includes("0001.rrd.new")));
    for (const killed of left) {
      const there = killed.read("0001.rrd")!;
      assert([whole.length, (await plain()).length].includes(there.length));
      assertEquals(await differs(killed), undefined);
      await startAgain(killed);
      assertEquals(killed.read("0001.rrd"), whole);
      assertEquals(killed.paths.filter((path) => path.endsWith(".new")), []);
    }
  });

  it("stay as they are where a copy can't be written, or somebody has its name", async () => {
    const full = await copyOf(await pending(), ({ kind, path }: FileOperation) => {
      if (kind === "write" && path.endsWith(".new")) throw new Error("ENOSPC");
    });
    await startAgain(full);
    assertEquals(full.read("0001.rrd"), await plain());
    assertEquals(full.paths.filter((path) => path.endsWith(".new")), []);
    assertEquals(lineOf(full)["footer"], "pending");
    const taken = await pending();
    await (await taken.create("0001.rrd.new", "new")).write(Uint8Array.of(1));
    await startAgain(taken);
    assertEquals(taken.read("0001.rrd.new"), Uint8Array.of(1));
    assertEquals(taken.read("0001.rrd"), await plain());
  });

  it("stay as they are if they changed since they were closed", async () => {
    const files = await pending();
    const bytes = await change(
      files,
      "0001.rrd",
      (bytes) => bytes.with(60_000, bytes[60_000]! ^ 1),
    );
    await startAgain(files);
    assertEquals(files.read("0001.rrd"), bytes);
  });
});

describe("rotation", () => {
  it("goes on while the index of the part before is made", async () => {
    const files = memoryFiles();
    const asked = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const sink = await rrdFileSink({
      ...{ path: "{part}.rrd", chunkIndex: true, rotation: { maxBytes: 40_000 } },
      files: {
        ...files,
        openAt: async (path) => {
          if (path === "0001.rrd.part") {
            asked.resolve();
            await go.promise;
          }
          return await files.openAt(path);
        },
      },
    });
    const [info, ...rest] = MESSAGES;
    await sink.write([info!]);
    for (const msg of rest) await sink.write([msg]);
    for (const msg of rest) await sink.write([again(msg)]);
    await asked.promise;
    assert(files.paths.includes("0003.rrd.part"), files.paths.join());
    assert(files.paths.includes("0001.rrd.part"));
    go.resolve();
    await sink.close();
    for (const name of files.paths.filter((path) => path.endsWith(".rrd"))) {
      assertEquals(files.read(name), await withFooter(files.read(name)!), name);
      assert(hasFooter(files.read(name)!), name);
      assertEquals(await differs(files, name), undefined);
    }
  });
});

/** The same message once more; static data comes but once. */
function again(message: SmartMessage): SmartMessage {
  if (message.payload.type !== "msg" || !(message.payload.msg instanceof ArrowMsg)) return message;
  return { ...message };
}

describe("files of the runtime", { timeout: 60_000 }, () => {
  it("are indexed in a worker where they are large", async () => {
    const folder = mkdtempSync(join(tmpdir(), "rerelay-index-"));
    const { Worker } = globalThis;
    let workers = 0;
    globalThis.Worker = class extends Worker {
      constructor(...args: ConstructorParameters<typeof Worker>) {
        super(...args);
        workers++;
      }
    };
    try {
      const files = await loadFileAdapter();
      const path = join(folder, "{part}.rrd");
      const rotation = { maxBytes: 400_000 };
      const how = { path, files, chunkIndex: true, rotation, timer: () => () => {} };
      const sink = await rrdFileSink(how);
      for (let i = 0; i < 8; i++) await sink.write(MESSAGES);
      while (!await files.kind(join(folder, "0001.rrd"))) await sink.write([]);
      await sink.close();
      const bytes = new Uint8Array(readFileSync(join(folder, "0001.rrd")));
      assert(bytes.length > 300_000, `${bytes.length}`);
      assert(hasFooter(bytes));
      assertEquals(bytes, await withFooter(bytes));
      assertEquals(workers, 1);
    } finally {
      globalThis.Worker = Worker;
      rmSync(folder, { recursive: true });
    }
  });
});
