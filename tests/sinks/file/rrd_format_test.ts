import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { memoryFiles } from "../../../lib/adapters/files/memory_files.ts";
import { Bridge, BRIDGED_HEADER } from "../../../lib/bridge/mod.ts";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import { decodeRrdHeader } from "../../../lib/encoding/rrd_header.ts";
import { rrdFileSink, type RrdFileSinkOptions } from "../../../lib/sinks/file/rrd_file.ts";
import { chunk as oldChunk, chunkOf, column } from "../../bridge/chunks.ts";
import { captured, chunk, smart } from "../../viewers/messages.ts";
import { change, killed } from "../leftovers.ts";
import { concat, keptLog } from "../messages.ts";

const CHUNKS = ["0.17.0-mixed", "0.18.2-mixed", "0.20.3-mixed", "0.21.0-mixed", "0.22.1-blueprint"];

const header = (file: Uint8Array) => decodeRrdHeader(file).version;
const bytesOf = (msgs: readonly LogMsg[]) => concat(...msgs.map(({ encoded }) => encoded.bytes));
const ipcsOf = (msgs: readonly LogMsg[]) =>
  concat(...msgs.flatMap((msg) => msg.kind === "ArrowMsg" ? [msg.ipc()] : []));

function messages(file: Uint8Array): LogMsg[] {
  const { items, error } = new RrdDecoder().push(file);
  if (error !== undefined) throw error;
  return [...items];
}

async function save(
  path: string,
  msgs: readonly LogMsg[],
  over: Partial<RrdFileSinkOptions> = {},
  files = memoryFiles(),
) {
  const log = keptLog();
  const options = { path, files, log, rrdFormat: "current", date: () => 0, ...over } as const;
  const sink = await rrdFileSink(options);
  for (const msg of msgs) await sink.write([smart(msg)]);
  await sink.close();
  return { sink, log, files, names: files.paths.filter((name) => name.endsWith(".rrd")) };
}

describe("rrdFileSink in today's form", () => {
  for (const name of CHUNKS) {
    it(`writes ${name} as the bridge gives it`, async () => {
      const { files, sink } = await save("a.rrd", captured(name));
      const file = files.read("a.rrd")!;
      const bridge = new Bridge();
      assertEquals(header(file), BRIDGED_HEADER.version);
      const { items } = bridge.push(captured(name));
      assertEquals(bytesOf(messages(file)), bytesOf(items));
      assertEquals(sink.bridge, bridge.counts);
      assertEquals([sink.lost.messages, sink.kept.messages], [0, items.length]);
    });
  }

  for (const compress of ["off", "lz4"] as const) {
    it(`writes large data as the bridge gives it, compressed: ${compress}`, async () => {
      const schema = oldChunk(["rerun.components.Scalar"]).ipc();
      const msgs = [10, 40_000, 300_000, 20, 900_000].map((length) =>
        chunkOf(concat(schema, new Uint8Array(length).fill(length / 10)))
      );
      const { files, sink } = await save("a.rrd", msgs, { compress });
      const given = new Bridge({ reusesMemory: false }).push(msgs).items;
      const written = messages(files.read("a.rrd")!);
      assert(Buffer.from(ipcsOf(written)).equals(ipcsOf(given)));
      assertEquals(sink.lost.messages, 0);
    });
  }

  it("writes chunks of long schemas as the bridge gives them", async () => {
    // Longer than what files copy to write it, so that it waits where the bridge has put it.
    const long = "long".repeat(100_000);
    const msgs = [1, 2, 3].map((id) =>
      oldChunk([column("rerun.components.Scalar", { long })], { id, path: `/entity/${id}` })
    );
    const { files } = await save("a.rrd", msgs);
    const given = new Bridge({ reusesMemory: false }).push(msgs).items;
    const written = messages(files.read("a.rrd")!);
    assert(Buffer.from(ipcsOf(written)).equals(ipcsOf(given)));
  });

  it("writes what was sent where it is not asked for", async () => {
    const msgs = captured("0.20.3-mixed");
    const { files, sink } = await save("a.rrd", msgs, { rrdFormat: "as-sent" });
    assertEquals(bytesOf(messages(files.read("a.rrd")!)), bytesOf(msgs));
    assertEquals(sink.bridge, undefined);
  });

  it("puts messages of all SDKs with chunks into one file", async () => {
    const msgs = CHUNKS.flatMap(captured);
    const { names, files } = await save("a.rrd", msgs);
    assertEquals(names, ["a.rrd"]);
    assertEquals(messages(files.read("a.rrd")!).length, new Bridge().push(msgs).items.length);
  });

  it("begins each part with announcement, blueprint and static data of the same form", async () => {
    const msgs = [...captured("0.22.1-blueprint"), ...captured("0.22.1-mixed")];
    const rotation = { maxBytes: 4000 };
    const { names, files, sink } = await save("{recording_id}-{part}.rrd", msgs, { rotation });
    assert(names.length > 4, names.join());
    let recorded = 0;
    for (const name of names) {
      const file = files.read(name)!;
      assertEquals(header(file), BRIDGED_HEADER.version, name);
      const [first, ...rest] = messages(file);
      assertEquals(first!.kind, "SetStoreInfo", name);
      const isBlueprint = (msg: LogMsg) =>
        msg.kind === "ArrowMsg" && msg.storeId.kind === "Blueprint";
      const isMixed = name.startsWith("rec-mixed");
      assert(rest.some(isBlueprint), `${name} has no blueprint`);
      if (isMixed) {
        assert(rest.some((msg) => msg.kind === "ArrowMsg" && msg.isStatic), `${name}: no static`);
      }
      recorded += rest.length;
    }
    assert(recorded > msgs.length);
    const given = new Bridge().push(msgs).items.length;
    assertEquals([sink.lost.messages, sink.kept.messages], [0, given]);
  });

  it("recovers what a run that was killed left, and goes on in this form", async () => {
    const msgs = captured("0.20.3-mixed");
    const sent = msgs.map((msg) => smart(msg));
    const left = await killed("a.rrd", sent, { rrdFormat: "current", sync: "always" });
    await change(left, "a.rrd.part", (bytes) => bytes.subarray(0, -50));
    const sink = await rrdFileSink({
      path: "a.rrd",
      files: left,
      rrdFormat: "current",
      force: true,
    });
    await sink.recovered;
    await sink.write(sent);
    await sink.close();
    const bridge = new Bridge();
    const expected = bridge.push(msgs).items;
    const [recovered, next] = ["a.2.rrd", "a.rrd"].map((name) => left.read(name)!);
    assertEquals(bytesOf(messages(recovered!)), bytesOf(expected.slice(0, -1)));
    assertEquals(bytesOf(messages(next!)), bytesOf(expected));
  });

  it("keeps as it came what has no such form, and says so once", async () => {
    const tables = captured("0.16.1-mixed");
    const space = oldChunk(["rerun.components.DisconnectedSpace"]);
    const msgs = [...captured("0.17.0-mixed"), chunk(1, 200), space, ...tables];
    const { names, files, log } = await save("a.rrd", msgs);
    assertEquals(names.sort(), ["a.2.rrd", "a.rrd"]);
    assertEquals(bytesOf(messages(files.read("a.2.rrd")!)), bytesOf(tables));
    const told = log.of("warn").filter((line) => line.includes("Saved as it came"));
    assertEquals(told.length, 1);
    const text = told[0]!;
    assert(text.includes(`${tables.length} messages of SDK 0.16 and before`), text);
    assert(text.includes("1 chunk whose schema"), text);
    assert(text.includes("rerun.components.DisconnectedSpace"), text);
  });
});
