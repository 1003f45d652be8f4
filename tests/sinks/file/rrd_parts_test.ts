import { describe, it } from "node:test";
import { setImmediate } from "node:timers";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { memoryFiles } from "../../../lib/adapters/files/memory_files.ts";
import { ArrowMsg } from "../../../lib/encoding/arrow_msg.ts";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import type { SmartMessage } from "../../../lib/flow/channel/smart_message.ts";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import type { Encoded, StoreId } from "../../../lib/encoding/message_parts.ts";
import { encodeStoreInfo } from "../../../lib/encoding/rrd/encode_store_info.ts";
import { rrdFileSink, type RrdFileSinkOptions } from "../../../lib/sinks/file/rrd_file.ts";
import { capturePackets, fixture } from "../../fixtures.ts";
import { seeded } from "../../random.ts";
import { fewFiles, unparked } from "../few_files.ts";
import { concat, header, keptLog } from "../messages.ts";

/** Lets everything that can happen without outside help happen. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

function decode(bytes: Uint8Array): LogMsg[] {
  const { items, error } = new RrdDecoder().push(bytes);
  if (error !== undefined) throw error;
  return items;
}

const CAPTURE = capturePackets("0.22.1-mixed").flatMap(decode);
const TIMED = CAPTURE.filter((msg) => msg.kind === "ArrowMsg" && msg.timepointMax!.length > 0);
const STATIC = CAPTURE.filter((msg) => msg.kind === "ArrowMsg" && msg.timepointMax!.length === 0);
const HEADER = header([0, 22, 1]);

function sent(msg: LogMsg): SmartMessage {
  return { source: { kind: "tcp-client", id: 1 }, payload: { type: "msg", msg }, time: 0 };
}

function announce(id: string, applicationId = "app", kind: StoreId["kind"] = "Recording") {
  const bytes = encodeStoreInfo(HEADER, {
    applicationId,
    storeId: { kind, id },
    isOfficialExample: false,
    started: 5n,
    storeSource: { kind: "Unknown" },
  });
  return sent(decode(concat(HEADER.bytes, bytes))[0]!);
}

/** A message of the capture, said to be of another store. */
function of(id: string, msg: LogMsg, kind: StoreId["kind"] = "Recording"): SmartMessage {
  if (msg.kind !== "ArrowMsg") throw new Error("no data");
  const { chunkId, timepointMax, isStatic, arrow, encoded } = msg;
  return sent(new ArrowMsg({ kind, id }, chunkId, timepointMax, isStatic, arrow, encoded));
}

const timed = (id: string, n = 0) => of(id, TIMED[n]!);

async function save(
  path: string,
  messages: SmartMessage[],
  over: Partial<RrdFileSinkOptions> = {},
  files = memoryFiles(),
) {
  const log = keptLog();
  const sink = await rrdFileSink({ path, files, log, date: () => 0, ...over });
  for (const message of messages) await sink.write([message]);
  await sink.close();
  const recordings = files.paths.filter((path) => path.endsWith(".rrd"));
  const found = recordings.map((path) => [path, decode(files.read(path)!).map(show)] as const);
  return { sink, log, files, found: Object.fromEntries(found) };
}

/** Where bytes stand in others; −1 if they do not. */
function indexOf(all: Uint8Array, part: Uint8Array): number {
  for (let at = 0; at + part.length <= all.length; at++) {
    if (part.every((byte, i) => all[at + i] === byte)) return at;
  }
  return -1;
}

function show(msg: LogMsg): string {
  if (msg.kind === "SetStoreInfo") return `${msg.info.applicationId}/${msg.info.storeId.id}`;
  if (msg.kind !== "ArrowMsg") return msg.kind;
  const index = CAPTURE.findIndex((known) =>
    known.kind === "ArrowMsg" && `${known.chunkId}` === `${msg.chunkId}`
  );
  return `${index}`;
}

const nameOf = ({ payload }: SmartMessage) => payload.type === "msg" ? show(payload.msg) : "";

describe("rrdFileSink with a recording in its pattern", () => {
  it("gives each recording its file, over several connections", async () => {
    const messages = [
      announce("one"),
      timed("one"),
      announce("two"),
      timed("two", 1),
      timed("one", 2),
    ];
    const { found, sink } = await save("d/{application_id}-{recording_id}.rrd", messages);
    assertEquals(found, {
      "d/app-one.rrd": ["app/one", nameOf(timed("one")), nameOf(timed("one", 2))],
      "d/app-two.rrd": ["app/two", nameOf(timed("two", 1))],
    });
    assertEquals(sink.kept.messages, 5);
  });

  it("notes a file in lines that are read again, whatever its application is called", async () => {
    const application = "\u0001".repeat(20_000);
    const messages = [announce("one", application), timed("one")];
    const { files } = await save("{recording_id}.rrd", messages);
    const index = new TextDecoder().decode(files.read("{recording_id}.rrd.index.jsonl"));
    const lines = index.trim().split("\n");
    assert(lines.every(({ length }) => length < 64 * 1024), `${lines.map((line) => line.length)}`);
    assertEquals(JSON.parse(lines.at(-1)!).state, "closed");
    // The file itself has all of the name.
    const [info] = decode(files.read("one.rrd")!);
    assertEquals(info?.kind === "SetStoreInfo" && info.info.applicationId, application);
  });

  it("announces recordings that nobody announced", async () => {
    const { found } = await save("{application_id}-{recording_id}.rrd", [timed("lost")]);
    assertEquals(found, { "unknown-lost.rrd": ["unknown/lost", nameOf(timed("lost"))] });
  });

  it("numbers names that become the same, and those that are there", async () => {
    const files = memoryFiles();
    await (await files.create("a_b.rrd", "new")).write(HEADER.bytes);
    const messages = [announce("a/b"), announce("a\\b")];
    const { found } = await save("{recording_id}.rrd", messages, {}, files);
    assertEquals(Object.keys(found), ["a_b.rrd", "a_b.2.rrd", "a_b.3.rrd"]);
    assertEquals(found["a_b.2.rrd"], ["app/a/b"]);
  });

  it("puts blueprints into the recordings of their application, earlier and later ones", async () => {
    const blueprint = of("layout", STATIC[0]!, "Blueprint");
    const { found, sink } = await save("{recording_id}.rrd", [
      announce("one"),
      announce("other", "another app"),
      announce("layout", "app", "Blueprint"),
      blueprint,
      announce("two"),
    ]);
    const layout = ["app/layout", nameOf(blueprint)];
    assertEquals(found, {
      "one.rrd": ["app/one", ...layout],
      "other.rrd": ["another app/other"],
      "two.rrd": ["app/two", ...layout],
    });
    assertEquals([sink.kept.messages, sink.lost.messages], [5, 0]);
  });

  /** Files that count how many of them are open, each operation of which takes its time. */
  function counted(wait: () => Promise<void> = () => Promise.resolve()) {
    const counts = { open: 0, most: 0 };
    const files = memoryFiles(async ({ kind, path }) => {
      await wait();
      if (!path.endsWith(".rrd.part")) return;
      if (kind === "create") counts.most = Math.max(counts.most, ++counts.open);
      if (kind === "park" || kind === "close") counts.open--;
    });
    return { files, counts };
  }

  const idsOf = (count: number) => Array.from({ length: count }, (_, i) => `r${i}`);

  it("writes a file for each, of which few are open, and says so once", async () => {
    const { files, counts } = counted();
    const messages = idsOf(100).map((id) => announce(id));
    for (let round = 0; round < 5; round++) messages.push(...idsOf(100).map((id) => timed(id)));
    const { found, sink, log } = await save(
      "{recording_id}.rrd",
      messages,
      { processes: fewFiles(8), now: () => 0 },
      files,
    );
    assertEquals(counts, { open: 0, most: 8 });
    for (const id of idsOf(100)) {
      assertEquals(found[`${id}.rrd`], [`app/${id}`, ...Array(5).fill(nameOf(timed(id)))]);
    }
    assertEquals([Object.keys(found).length, sink.kept.messages], [100, 600]);
    assertEquals(log.of("warn").length, 1);
    assertStringIncludes(log.of("warn")[0]!, "ulimit -n");
  });

  it("ends the files of those that nothing came for, beyond 256 of them", async () => {
    let nowMs = 0;
    const files = memoryFiles();
    const sink = await rrdFileSink({ path: "{recording_id}.rrd", files, now: () => nowMs });
    for (const id of idsOf(300)) await sink.write([announce(id)]);
    const unfinished = () => files.paths.filter((path) => path.endsWith(".part")).length;
    await sink.confirm()();
    assertEquals(unfinished(), 300);
    nowMs += 1_000_000;
    await sink.write([timed("r1"), announce("next")]);
    for (let i = 0; i < 10; i++) await settle();
    // 64 at a time; of the one that was quiet until now only the others are quiet.
    assertEquals([unfinished(), files.paths.includes("r1.rrd")], [256, false]);
    await sink.close();
    assertEquals([sink.kept.messages, sink.lost.messages], [302, 0]);
  });

  it("keeps few files open that can't be opened again, and goes on in further ones", async () => {
    const { files, counts } = counted();
    const messages = [...idsOf(300).map((id) => announce(id)), timed("r0")];
    const { found, sink } = await save(
      "{recording_id}.rrd",
      messages,
      { processes: fewFiles(256) },
      unparked(files),
    );
    assertEquals(counts, { open: 0, most: 256 });
    assertEquals(Object.keys(found).length, 301);
    assertEquals(found["r0.2.rrd"], ["app/r0", nameOf(timed("r0"))]);
    assertEquals(sink.kept.messages, 301);
  });

  for (const mayPark of [true, false]) {
    it(`loses none of them on a disk that takes its time ${mayPark}`, async () => {
      const random = seeded(4);
      const { files, counts } = counted(async () => {
        for (let ticks = Math.floor(random() * 40); ticks > 0; ticks--) await Promise.resolve();
      });
      // Some that are being closed are written to again.
      const again = idsOf(600)
        .flatMap((id, i) => [announce(id), timed(`r${Math.max(0, i - 250)}`)]);
      const { found, sink } = await save(
        "{recording_id}.rrd",
        again,
        { processes: fewFiles(256) },
        mayPark ? files : unparked(files),
      );
      assertEquals(counts.open, 0);
      assert(counts.most > 200 && counts.most <= 256, `${counts.most}`);
      assertEquals(files.paths.filter((path) => path.endsWith(".part")), []);
      assertEquals([sink.kept.messages, sink.lost.messages], [1200, 0]);
      for (const messages of Object.values(found)) assert(messages[0]?.startsWith("app/r"));
      assertEquals(Object.keys(found).length === 600, mayPark);
    });
  }
});

describe("rrdFileSink with rotation", () => {
  it("begins each part with what it needs to open alone, the newest static data only", async () => {
    const [old, other] = STATIC;
    const newest = of("one", old!);
    const messages = [
      announce("one"),
      of("one", old!),
      of("one", other!),
      newest,
      ...TIMED.slice(0, 10).map((msg) => of("one", msg)),
    ];
    const maxBytes = 20_000;
    const { found, files, sink } = await save("p-{part}.rrd", messages, { rotation: { maxBytes } });
    const names = Object.keys(found);
    assert(names.length > 2, `${names}`);
    assertEquals(names[1], "p-0002.rrd");
    for (const [i, name] of names.entries()) {
      assertEquals(found[name]![0], "app/one");
      if (i > 0) {
        assertEquals(found[name]!.slice(1, 3), [nameOf(of("one", other!)), nameOf(newest)]);
      }
      const again = i === 0 ? 0 : other!.encoded.bytes.length + old!.encoded.bytes.length;
      assert(files.read(name)!.length <= maxBytes + again + 500, name);
    }
    const data = names.flatMap((name, i) => found[name]!.slice(i === 0 ? 0 : 3));
    assertEquals(data, messages.map(nameOf));
    assertEquals(sink.kept.messages, messages.length);
  });

  for (const version of ["0.11.0", "0.15.1", "0.16.1"]) {
    it(`begins parts with tables of SDK ${version} that have a static row among others`, async () => {
      const messages = decode(fixture(`tables/${version}-static-row.rrd`));
      const table = messages.at(-1)!;
      if (table.kind !== "ArrowMsg") throw new Error("no table");
      const { storeId: { id }, chunkId, timepointMax } = table;
      // Stands for data with a time: nobody can see a static row in it.
      const arrow = { ...table.arrow, bytes: table.arrow.bytes.subarray(0, 100) };
      const { encoded } = table;
      const other = { ...encoded, bytes: encoded.bytes.slice() };
      other.bytes[indexOf(encoded.bytes, new TextEncoder().encode("STATICMARK"))]! ^= 1;
      const timed = sent(
        new ArrowMsg(
          { kind: "Recording", id },
          chunkId,
          timepointMax,
          false,
          arrow,
          other as Encoded,
        ),
      );
      const rotation = { maxBytes: 2 * encoded.bytes.length };
      const { files } = await save(
        "p-{part}.rrd",
        [...messages.map(sent), timed, timed, timed, timed, timed],
        { rotation },
      );
      const parts = files.paths.filter((path) => path.endsWith(".rrd"));
      assert(parts.length > 2, `${parts}`);
      for (const part of parts.slice(1)) {
        const written = files.read(part)!;
        assertEquals(
          indexOf(written, encoded.bytes),
          indexOf(written, other.bytes) - encoded.bytes.length,
        );
        assert(indexOf(written, encoded.bytes) > 0, part);
      }
    });
  }

  it("goes by time, and on with the next number after a restart", async () => {
    const files = memoryFiles();
    let ms = 0;
    const over: Partial<RrdFileSinkOptions> = {
      rotation: { maxAgeSec: 10 },
      now: () => ms += 4000,
    };
    const messages = [announce("one"), ...[0, 1, 2, 3].map((n) => timed("one", n))];
    await save("p-{part}.rrd", messages, over, files);
    const names = () => files.paths.filter((path) => path.endsWith(".rrd"));
    const before = names().length;
    assert(before > 1);
    await save("p-{part}.rrd", [announce("two")], over, files);
    assertEquals(names().at(-1), `p-000${before + 1}.rrd`);
  });
});

describe("rrdFileSink with dates in its pattern", () => {
  /** Three parts of a recording, a second after one another but for the last. */
  async function inParts(path: string, files = memoryFiles()) {
    const seconds = [0, 0, 1, 1];
    const over = { rotation: { maxBytes: 1 }, date: () => 1000 * (seconds.shift() ?? 1) };
    await save(path, [announce("one"), timed("one"), timed("one", 1)], over, files);
    return files.paths.filter((path) => path.endsWith(".rrd"));
  }

  it("numbers only names that are the same", async () => {
    assertEquals(await inParts("{time}.rrd"), ["00-00-00.rrd", "00-00-01.rrd", "00-00-01.2.rrd"]);
    assertEquals(await inParts("{date}.rrd"), ["d.rrd", "d.2.rrd", "d.3.rrd"].map(ofEpoch));
  });

  it("goes on with parts, whatever the time", async () => {
    const names = ["00-00-00_0001.rrd", "00-00-01_0002.rrd", "00-00-01_0003.rrd"];
    assertEquals(await inParts("{time}_{part}.rrd"), names);
  });

  it("goes on behind those of an earlier run", async () => {
    const files = memoryFiles();
    await inParts("{date}.rrd", files);
    const names = await inParts("{date}.rrd", files);
    assertEquals(names.slice(3), ["d.4.rrd", "d.5.rrd", "d.6.rrd"].map(ofEpoch));
  });
});

const ofEpoch = (name: string) => name.replace("d", "1970-01-01");

describe("rrdFileSink with compression", () => {
  it("keeps every message, smaller", async () => {
    const messages = CAPTURE.map(sent);
    const off = await save("a.rrd", messages);
    const lz4 = await save("a.rrd", messages, { compress: "lz4" });
    assertEquals(lz4.found, off.found);
    assertEquals(lz4.files.read("a.rrd")![8], 1);
    assert(lz4.files.read("a.rrd")!.length < off.files.read("a.rrd")!.length * 0.8);
  });
});
