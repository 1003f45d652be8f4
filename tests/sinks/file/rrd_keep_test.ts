import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { memoryFiles } from "../../../lib/adapters/files/memory_files.ts";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import type { SmartMessage } from "../../../lib/flow/channel/smart_message.ts";
import { PartList } from "../../../lib/sinks/file/parts/part_list.ts";
import { rrdFileSink, type RrdFileSinkOptions } from "../../../lib/sinks/file/rrd_file.ts";
import { capturePackets } from "../../fixtures.ts";
import { SdkClient } from "../clients.ts";
import { keptLog, msgpackMessage } from "../messages.ts";

const INDEX = "p-{part}.rrd.index.jsonl";
type Files = ReturnType<typeof memoryFiles>;

/** Writes so many parts of one message each. */
async function run(parts: number, files: Files, over: Partial<RrdFileSinkOptions> = {}) {
  const log = keptLog();
  const rotation = { maxBytes: 50 };
  const sink = await rrdFileSink({ path: "p-{part}.rrd", files, log, rotation, ...over });
  for (let i = 0; i < parts; i++) await sink.write([msgpackMessage(30, i)]);
  await sink.close();
  return { sink, log };
}

const parts = (files: Files) => files.paths.filter((path) => path.endsWith(".rrd")).sort();

async function put(files: Files, path: string, text: string): Promise<void> {
  const file = await files.create(path, "replace");
  await file.write(new TextEncoder().encode(text));
}

describe("keep, while the drive is away and its mount point takes new files", () => {
  it("limits those that are there, and all once it is back", async () => {
    const memory = memoryFiles();
    let away: string[] = [];
    const isAway = (path: string) => away.includes(path);
    const files = {
      ...memory,
      identity: () => Promise.resolve(away.length > 0 ? "mount point" : "drive"),
      list: async (folder: string) => (await memory.list(folder)).filter((name) => !isAway(name)),
      kind: (path: string) => isAway(path) ? Promise.resolve(undefined) : memory.kind(path),
    };
    const log = keptLog();
    const sink = await rrdFileSink({
      ...{ path: "p-{part}.rrd", files, log, rotation: { maxBytes: 50 }, keep: { files: 3 } },
    });
    const there = () => parts(memory).length;
    const isUnderWay = () => memory.paths.filter((path) => path.endsWith(".part")).length > 1;
    const write = async (count: number, left: number) => {
      for (let i = 0; i < count; i++) await sink.write([msgpackMessage(30, i)]);
      for (const end = Date.now() + 10_000; isUnderWay() || there() !== left;) {
        assert(Date.now() < end, memory.paths.join());
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    };
    await write(6, 3);
    away = parts(memory);
    await write(6, 6);
    assertEquals(away.every((name) => memory.paths.includes(name)), true);
    away = [];
    await write(1, 3);
    await sink.close();
    assertEquals([there(), log.of("error")], [3, []]);
  });
});

describe("PartList", () => {
  it("gives up the oldest, by number or by bytes, never the newest", () => {
    for (const [keep, taken] of [[{ files: 2 }, ["a"]], [{ bytes: 5 }, ["a", "b"]], [{}, []]]) {
      const list = new PartList(keep as object);
      for (const name of ["a", "b", "c"]) list.add(name, { bytes: 10, hasData: true });
      assertEquals(list.takeOldest(), keep === undefined ? [] : taken as string[]);
      assertEquals(list.takeOldest(), []);
    }
  });
});

describe("PartList of files with and without data", () => {
  const taken = (keep: object, ...files: [name: string, bytes: number, hasData: boolean][]) => {
    const list = new PartList(keep);
    return files.map((file) => {
      const [name, bytes, hasData] = file;
      list.add(name, { bytes, hasData });
      return list.takeOldest();
    });
  };

  it("gives up no file with data for one without, the newest neither", () => {
    assertEquals(
      taken({ files: 2 }, ["a", 9, true], ["b", 9, false], ["c", 9, true], ["d", 9, false]),
      [[], [], ["b"], ["d"]],
    );
    assertEquals(taken({ files: 1 }, ["a", 9, false], ["b", 9, false]), [[], ["a"]]);
    assertEquals(taken({ bytes: 20 }, ["a", 9, true], ["b", 50, false]), [[], ["b"]]);
    assertEquals(taken({ bytes: 20 }, ["a", 9, true], ["b", 50, true]), [[], ["a"]]);
  });
});

describe("PartList of files that are closed in another order", () => {
  it("gives up those that were begun first, and counts none that is open", () => {
    const list = new PartList({ files: 2 });
    for (const name of ["a", "b", "c", "d"]) list.begin(name);
    const taken = ["d", "c", "b"].map((name) => {
      list.update(name, { bytes: 9, hasData: true });
      return list.takeOldest();
    });
    assertEquals(taken, [[], [], ["b"]]);
    list.update("a", { bytes: 9, hasData: true });
    assertEquals(list.takeOldest(), ["a"]);
  });
});

/** Files of which each but the last gets its name when that which was begun after it has its own. */
function closedLastFirst(names: readonly string[]): Files {
  const named = new Map(names.map((name) => [name, Promise.withResolvers<void>()]));
  return memoryFiles(async ({ kind, path }) => {
    if (kind !== "rename") return;
    const name = path.slice(0, -".part".length);
    const next = names[names.indexOf(name) + 1];
    if (next !== undefined) await named.get(next)!.promise;
    named.get(name)?.resolve();
  });
}

describe("rrdFileSink that keeps so many files", () => {
  it("has the name of an index that it wrote anew on the disk before it adds to it", async () => {
    const done: string[] = [];
    const files = memoryFiles(({ kind, path }) => void done.push(`${kind} ${path}`));
    const path = `rec/${INDEX}`;
    await put(files, path, '{"kind":"removed","name":"p-1.rrd"}\n'.repeat(1100));
    const sink = await rrdFileSink({ path: "rec/p-{part}.rrd", files });
    await sink.write([msgpackMessage(30, 1)]);
    await sink.close();
    const behind = done.slice(done.indexOf(`rename ${path}.new`) + 1);
    const [synced, written] = ["syncFolder rec/", `write ${path}.new`].map((each) =>
      behind.indexOf(each)
    );
    assert(synced! >= 0 && synced! < written!, behind.join());
  });

  it("removes those that were begun first, in whatever order they are closed", async () => {
    const names = ["r1.rrd", "r2.rrd", "r3.rrd", "r4.rrd", "r5.rrd"];
    const path = "{recording_id}.rrd";
    const client = new SdkClient(1);
    const logged = names.map((name) => client.logs(name.slice(0, 2)));
    for (const runs of [[{ files: 2 }], [{}, { files: 2 }]]) {
      const files = closedLastFirst(names);
      for (const [i, keep] of runs.entries()) {
        const sink = await rrdFileSink({ path, files, keep });
        await sink.write(i === 0 ? logged : [client.logs("z")]);
        await sink.close();
      }
      assertEquals(parts(files), runs.length === 1 ? ["r4.rrd", "r5.rrd"] : ["r5.rrd", "z.rrd"]);
    }
  });

  it("removes the oldest, those of earlier runs included", async () => {
    const files = memoryFiles();
    await run(3, files);
    assertEquals(parts(files), ["p-0001.rrd", "p-0002.rrd", "p-0003.rrd"]);
    const { sink } = await run(2, files, { keep: { files: 2 } });
    assertEquals(parts(files), ["p-0004.rrd", "p-0005.rrd"]);
    assertEquals(sink.saved.map(({ path }) => path), parts(files));
    await run(3, files, { keep: { bytes: 130 } });
    assertEquals(parts(files), ["p-0007.rrd", "p-0008.rrd"]);
  });

  it("does not complain about files that somebody removed by hand", async () => {
    const files = memoryFiles();
    await run(3, files);
    await files.remove("p-0001.rrd");
    const { log } = await run(2, files, { keep: { files: 2 } });
    assertEquals(parts(files), ["p-0004.rrd", "p-0005.rrd"]);
    assertEquals(log.of("warn"), []);
  });

  it("knows those of runs that kept all, whatever came between", async () => {
    const files = memoryFiles();
    await run(2, files);
    await run(1, files);
    await run(1, files, { keep: { files: 1 } });
    assertEquals(parts(files), ["p-0004.rrd"]);
  });

  it("knows of those of earlier runs whether they have data", async () => {
    const files = memoryFiles();
    const each = "{recording_id}.rrd";
    const client = new SdkClient(1);
    const save = async (keep: object, ...messages: SmartMessage[]) => {
      const sink = await rrdFileSink({ path: each, files, ...keep });
      await sink.write(messages);
      await sink.close();
    };
    await save({}, client.logs("data"));
    await save({}, client.announces("nothing"));
    await save({ keep: { files: 2 } }, client.logs("more"));
    assertEquals(parts(files), ["data.rrd", "more.rrd"]);
  });

  it("knows how large they are, end markers included", async () => {
    const files = memoryFiles();
    await run(2, files);
    const lines = new TextDecoder().decode(files.read(INDEX)).trim().split("\n");
    const listed = lines.map((line) => JSON.parse(line))
      .filter(({ state }) => state === "closed").map(({ name, bytes }) => [name, bytes]);
    assertEquals(listed, parts(files).map((name) => [name, files.read(name)!.length]));
  });

  it("removes nothing that is not listed, nor what is listed but not the pattern's", async () => {
    const files = memoryFiles();
    await put(files, "p-0001.rrd", "not listed");
    await put(files, "other.rrd", "not ours");
    const lines = ["other.rrd", "../p-1.rrd", "x/p-1.rrd"].map((name) =>
      JSON.stringify({ kind: "file", name, bytes: 1 })
    );
    await put(files, INDEX, [...lines, "{}", "null", '{"kind":"fi'].join("\n"));
    const { log } = await run(4, files, { keep: { files: 1 } });
    assertEquals(parts(files), ["other.rrd", "p-0001.rrd", "p-0005.rrd"]);
    assertEquals(log.of("warn"), []);
  });

  it("counts none that somebody removed, so that no other goes for it", async () => {
    const files = memoryFiles();
    const keep = { files: 3 };
    await run(3, files, { keep });
    await files.remove("p-0002.rrd");
    await run(1, files, { keep });
    assertEquals(parts(files), ["p-0001.rrd", "p-0003.rrd", "p-0004.rrd"]);
    await run(1, files, { keep });
    assertEquals(parts(files), ["p-0003.rrd", "p-0004.rrd", "p-0005.rrd"]);
  });

  it("counts none that somebody removes while it saves", async () => {
    const files = memoryFiles();
    const [keep, rotation] = [{ files: 3 }, { maxBytes: 50 }];
    const sink = await rrdFileSink({ path: "p-{part}.rrd", files, keep, rotation });
    for (let i = 0; i < 4; i++) await sink.write([msgpackMessage(30, i)]);
    while (!files.paths.includes("p-0003.rrd")) await new Promise((go) => setTimeout(go, 1));
    await files.remove("p-0003.rrd");
    await sink.write([msgpackMessage(30, 4)]);
    await sink.close();
    assertEquals(parts(files), ["p-0002.rrd", "p-0004.rrd", "p-0005.rrd"]);
  });

  it("tries again to remove what it could not, and no other in its place", async () => {
    let isStuck = true;
    const files = memoryFiles(({ kind, path }) => {
      if (isStuck && kind === "remove" && path === "p-0001.rrd") throw new Error("EPERM");
    });
    const keep = { files: 2 };
    const { log, sink } = await run(5, files, { keep });
    assertEquals(parts(files), ["p-0001.rrd", "p-0004.rrd", "p-0005.rrd"]);
    assertEquals(log.of("warn").length, 1);
    // The index still names it, so that a later start tries again, too.
    await run(1, files, { keep });
    assertEquals(parts(files), ["p-0001.rrd", "p-0005.rrd", "p-0006.rrd"]);
    isStuck = false;
    await run(1, files, { keep });
    assertEquals(parts(files), ["p-0006.rrd", "p-0007.rrd"]);
    assertEquals(sink.kept.messages, 5);
  });

  it("removes in the same run what it could not at first, but none that is new under its name", async () => {
    for (const isGone of [false, true]) {
      let isStuck = true;
      const files = memoryFiles(({ kind, path }) => {
        if (isStuck && kind === "remove" && path === "p-0001.rrd") throw new Error("EPERM");
      });
      const [keep, rotation] = [{ files: 1 }, { maxBytes: 50 }];
      const sink = await rrdFileSink({ path: "p-{part}.rrd", files, keep, rotation });
      for (let i = 0; i < 4; i++) await sink.write([msgpackMessage(30, i)]);
      isStuck = false;
      if (isGone) await files.remove("p-0001.rrd");
      for (let i = 0; i < 2; i++) await sink.write([msgpackMessage(30, i)]);
      await sink.close();
      assertEquals(parts(files), ["p-0006.rrd"]);
    }
  });

  it("tells each kind of trouble with its index, whatever was told before", async () => {
    const files = memoryFiles(({ kind, path }) => {
      if (kind === "write" && path.includes("index")) throw new Error("EIO");
      if (kind === "remove" && path.endsWith("1.rrd")) throw new Error("EPERM");
    });
    const { log } = await run(4, files, { keep: { files: 2 } });
    assertEquals(log.of("warn").map((text) => /written|obeyed/.exec(text)?.[0]), [
      "written",
      "obeyed",
    ]);
  });

  it("keeps recording, and says so once, when the index can't be written", async () => {
    const files = memoryFiles(({ kind, path }) => {
      if (kind === "write" && path.includes("index")) throw new Error("EIO");
    });
    const { log, sink } = await run(3, files);
    assertEquals(sink.kept.messages, 3);
    assertEquals(log.of("warn").length, 1);
  });
});

describe("rrdFileSink after a restart", () => {
  it("announces a recording as it was announced to the earlier run", async () => {
    const files = memoryFiles();
    const messages = capturePackets("0.22.1-mixed").flatMap((packet): SmartMessage[] =>
      new RrdDecoder().push(packet).items.map((msg) => ({
        source: { kind: "tcp-client", id: 1 },
        payload: { type: "msg", msg },
        time: 0,
      }))
    );
    const path = "{application_id}-{recording_id}.rrd";
    for (const part of [messages.slice(0, 10), messages.slice(10)]) {
      const sink = await rrdFileSink({ path, files });
      await sink.write(part);
      await sink.close();
    }
    const [first, second] = parts(files).sort((a, b) => a.length - b.length)
      .map((name) => new RrdDecoder().push(files.read(name)!).items[0]!);
    if (first?.kind !== "SetStoreInfo" || second?.kind !== "SetStoreInfo") throw new Error();
    assertEquals(second.info, first.info);
  });
});
