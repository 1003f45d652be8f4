import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type MemoryFiles, memoryFiles } from "../../../lib/adapters/files/memory_files.ts";
import { decodeRrdHeader } from "../../../lib/encoding/rrd_header.ts";
import { FileExists } from "../../../lib/base/errors.ts";
import type { SmartMessage } from "../../../lib/flow/channel/smart_message.ts";
import { rrdFileSink } from "../../../lib/sinks/file/rrd_file.ts";
import { CAPTURES, fixture } from "../../fixtures.ts";
import {
  besidesIndex,
  bytesOf,
  captureMessages,
  concat,
  header,
  keptLog,
  message,
  msgpackMessage,
  QUIT,
} from "../messages.ts";

const MARKER = new Uint8Array(8);

/** Lets everything that can happen without outside help happen. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

async function save(batches: SmartMessage[][], files: MemoryFiles = memoryFiles(), force = false) {
  const log = keptLog();
  const sink = await rrdFileSink({ path: "a.rrd", force, files, log });
  for (const batch of batches) await sink.write(batch);
  await sink.close();
  return { sink, files, log };
}

/** The messages of a fixture without several headers. */
function rrdMessages(name: string): SmartMessage[] {
  const bytes = fixture(`encodings/${name}.rrd`);
  const head = decodeRrdHeader(bytes);
  const view = new DataView(bytes.buffer);
  const protobuf = head.serializer === "protobuf";
  const messages = [];
  for (let at = 12;;) {
    const length = protobuf
      ? 16 + Number(view.getBigUint64(at + 8, true))
      : 8 + view.getUint32(at, true);
    if (length === (protobuf ? 16 : 8)) return messages;
    messages.push(message(head, bytes.subarray(at, at + length)));
    at += length;
  }
}

describe("rrdFileSink", () => {
  for (const name of CAPTURES) {
    it(`keeps ${name} byte for byte under one header`, async () => {
      const messages = captureMessages(name);
      const marker = /^0\.(9|1[0-8])\./.test(name) ? [] : [MARKER];
      const { encoded } =
        (messages[0]!.payload as Extract<SmartMessage["payload"], { msg: unknown }>)
          .msg;
      const expected = concat(encoded.header.bytes, ...messages.map(bytesOf), ...marker);
      const bytes = messages.reduce((sum, m) => sum + bytesOf(m).length, 0);
      for (const batches of [[messages], messages.map((m) => [m]), [[QUIT], [...messages, QUIT]]]) {
        const { sink, files, log } = await save(batches);
        assertEquals(files.read("a.rrd"), expected);
        assertEquals(besidesIndex(files), ["a.rrd"]);
        assertEquals(sink.saved, [{ path: "a.rrd", messages: messages.length, bytes }]);
        assertEquals(log.lines, []);
      }
    });
  }

  it("gives each encoding its own file, as Rerun wrote them", async () => {
    const encodings = ["msgpack-off", "protobuf-lz4", "msgpack-lz4", "protobuf-off"];
    const names = encodings.map((encoding) => `0.22.1-mixed-${encoding}`);
    const all = names.map(rrdMessages);
    const mixed = all[0]!.flatMap((_, i) => all.map((messages) => messages[i]!));
    assert(all.every((messages) => messages.length === all[0]!.length));
    const { files, log } = await save([mixed.slice(0, 7), mixed.slice(7)]);
    const paths = ["a.rrd", "a.2.rrd", "a.3.rrd", "a.4.rrd"];
    assertEquals(besidesIndex(files).sort(), [...paths].sort());
    for (const [i, path] of paths.entries()) {
      assertEquals(files.read(path), fixture(`encodings/${names[i]}.rrd`), names[i]);
    }
    assertEquals(log.of("info").length, 3);
    assertEquals(log.lines.length, 3);
  });

  it("puts other versions under the first header, and warns once for each", async () => {
    const old = captureMessages("0.20.3-mixed");
    const older = captureMessages("0.18.2-mixed");
    const first = captureMessages("0.22.1-mixed");
    const { files, log } = await save([[...first, ...old], [...older, ...old, ...first]]);
    assertEquals(
      files.read("a.rrd"),
      concat(
        header([0, 22, 1]).bytes,
        ...[...first, ...old, ...older, ...old, ...first].map(bytesOf),
        MARKER,
      ),
    );
    assertEquals(log.lines.map(([level]) => level), ["warn", "warn"]);
    assert(log.of("warn")[0]!.includes("0.22.1; data of 0.20.3 goes under"));
    assert(log.of("warn")[1]!.includes("data of 0.18.2 goes under"));
  });

  it("writes the end marker as soon as one message is of 0.19 or later", async () => {
    const old = captureMessages("0.18.2-mixed");
    const { files } = await save([old, [msgpackMessage(5, 1, [0, 19, 0])]]);
    const bytes = files.read("a.rrd")!;
    assertEquals(bytes.slice(-8), MARKER);
    assertEquals(bytes.slice(0, 12), header([0, 18, 2]).bytes);
  });

  it("reports a bounded number of versions, whatever a peer sends", async () => {
    const messages = Array.from(
      { length: 1000 },
      (_, i) => msgpackMessage(1, 1, [1, i >> 8, i & 255]),
    );
    const { log } = await save([messages]);
    assertEquals(log.lines.length, 16);
  });

  it("makes a valid, empty recording of nothing", async () => {
    const { files, sink } = await save([[QUIT]]);
    assertEquals(files.read("a.rrd"), concat(header([0, 22, 1]).bytes, MARKER));
    assertEquals(sink.saved, [{ path: "a.rrd", messages: 0, bytes: 0 }]);
  });

  it("makes both lengths of uncompressed msgpack equal, since readers differ", async () => {
    for (const size of [100, 100_000]) {
      const odd = msgpackMessage(size);
      new DataView(bytesOf(odd).buffer).setUint32(0, 7, true);
      const { files } = await save([[odd]]);
      assertEquals(files.read("a.rrd")!.slice(12, -8), bytesOf(msgpackMessage(size)));
      assertEquals(bytesOf(odd)[0], 7);
    }
  });
});

describe("rrdFileSink and files that exist", () => {
  const existing = async (...paths: string[]) => {
    const files = memoryFiles();
    for (const path of paths) await (await files.create(path, "new")).write(Uint8Array.of(1, 2, 3));
    return files;
  };
  const other = message(header([0, 22, 1], "lz4"), new Uint8Array(20));

  it("refuses one, untouched", async () => {
    const files = await existing("a.rrd");
    await assertRejects(() => rrdFileSink({ path: "a.rrd", files }), FileExists, "--force");
    assertEquals(files.read("a.rrd"), Uint8Array.of(1, 2, 3));
  });

  it("replaces it, and siblings, if forced", async () => {
    const files = await existing("a.rrd", "a.2.rrd");
    await save([[msgpackMessage(1), other]], files, true);
    assertEquals(besidesIndex(files), ["a.rrd", "a.2.rrd"]);
    assertEquals(files.read("a.rrd")!.length, 12 + 9 + 8);
    assertEquals(files.read("a.2.rrd")!.length, 12 + 20 + 8);
  });

  it("leaves a sibling of an earlier run alone and takes the next number", async () => {
    const files = await existing("a.2.rrd", "a.3.rrd");
    await save([[msgpackMessage(1), other]], files);
    assertEquals(besidesIndex(files), ["a.2.rrd", "a.3.rrd", "a.rrd", "a.4.rrd"]);
    assertEquals(files.read("a.2.rrd")!.length, 3);
  });
});

describe("rrdFileSink's writes", () => {
  it("gather small messages up to 2 MiB, and pass large ones on uncopied", async () => {
    const writes: Uint8Array[] = [];
    const files = memoryFiles((op) => {
      if (op.kind === "write" && op.path.endsWith(".part")) writes.push(op.bytes!);
    });
    const sink = await rrdFileSink({ path: "a.rrd", files });
    const many = Array.from({ length: 3000 }, () => msgpackMessage(1000));
    await sink.write(many);
    await settle();
    // The first ones are smaller: most files stay small.
    assertEquals(writes.length, 9);
    await sink.write(many);
    await settle();
    assertEquals(writes.length, 11);
    assert(writes.every((bytes) => bytes.length <= 2 * 1024 * 1024));
    const large = msgpackMessage(300_000);
    await sink.write([msgpackMessage(10), large, msgpackMessage(10)]);
    await settle();
    assertEquals(writes.length, 14);
    assert(writes[12]!.buffer === bytesOf(large).buffer);
    // Nothing is held back.
    assertEquals(files.read("a.rrd.part")!.length, 12 + 6000 * 1008 + 300_008 + 2 * 18);
    await sink.close();
  });

  it("keep nothing of a batch that may be written over afterwards", async () => {
    const files = memoryFiles();
    const sink = await rrdFileSink({ path: "a.rrd", files });
    const reused = msgpackMessage(10, 1);
    await sink.write([reused]);
    bytesOf(reused).fill(9);
    await sink.close();
    assertEquals(files.read("a.rrd")!.slice(12, -8), bytesOf(msgpackMessage(10, 1)));
  });

  it("stay in order when the next is not waited for", async () => {
    const files = memoryFiles();
    const sink = await rrdFileSink({ path: "a.rrd", files });
    const messages = [1, 2, 3].map((fill) => msgpackMessage(100_000, fill));
    for (const each of messages) void sink.write([each]);
    await sink.close();
    assertEquals(sink.lost.messages + sink.saved[0]!.messages, 3);
    const written = messages.slice(0, sink.saved[0]!.messages);
    assertEquals(files.read("a.rrd")!.slice(12, -8), concat(...written.map(bytesOf)));
  });
});

describe("rrdFileSink as a stream", () => {
  it("takes batches, and is closed at their end, or where they break off", async () => {
    for (const breaks of [false, true]) {
      const files = memoryFiles();
      const sink = await rrdFileSink({ path: "a.rrd", files });
      const batches = ReadableStream.from((async function* () {
        yield [msgpackMessage(1), QUIT];
        yield [msgpackMessage(100_000)];
        if (breaks) throw new Error("broken");
      })());
      const piped = batches.pipeTo(sink.writable);
      if (breaks) await assertRejects(() => piped, Error, "broken");
      else await piped;
      await sink.close();
      assertEquals(sink.kept, { messages: 2, bytes: 9 + 100_008 });
      assertEquals(besidesIndex(files), ["a.rrd"]);
    }
  });
});
