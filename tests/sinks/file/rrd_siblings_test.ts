import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { memoryFiles } from "../../../lib/adapters/files/memory_files.ts";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import type { SmartMessage } from "../../../lib/flow/channel/smart_message.ts";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import { rrdFileSink } from "../../../lib/sinks/file/rrd_file.ts";
import { fixture } from "../../fixtures.ts";
import { besidesIndex, keptLog } from "../messages.ts";

function decode(bytes: Uint8Array): LogMsg[] {
  const { items, error } = new RrdDecoder().push(bytes);
  if (error !== undefined) throw error;
  return items;
}

const ENCODINGS = [
  "encodings/0.22.1-mixed-msgpack-off.rrd",
  "encodings/0.22.1-mixed-msgpack-lz4.rrd",
  "encodings/0.22.1-mixed-protobuf-off.rrd",
  "encodings/0.22.1-mixed-protobuf-lz4.rrd",
  "grpc/0.41.0.saved-by-rerun.rrd",
].map((path) => decode(fixture(path)));

const key = (msg: LogMsg) => {
  if (msg.kind === "ArrowMsg") return `${msg.storeId.kind} ${msg.storeId.id} ${msg.chunkId}`;
  return msg.kind === "SetStoreInfo" ? `${msg.info.storeId.kind} ${msg.info.storeId.id}` : msg.kind;
};

describe("rrdFileSink with several encodings", () => {
  it("gives each a file that opens, protobuf of before and since 0.23 as well", async () => {
    const files = memoryFiles();
    const log = keptLog();
    const sink = await rrdFileSink({ path: "a.rrd", files, log });
    // Two of each in turn, so that none stands in its file by chance.
    const longest = Math.max(...ENCODINGS.map(({ length }) => length));
    for (let i = 0; i < longest; i += 2) {
      const batch = ENCODINGS.flatMap((msgs) => msgs.slice(i, i + 2)).map((msg): SmartMessage => ({
        source: { kind: "tcp-client", id: 1 },
        payload: { type: "msg", msg },
        time: 0,
      }));
      await sink.write(batch);
    }
    await sink.close();
    assertEquals(besidesIndex(files).sort(), ["a.2.rrd", "a.3.rrd", "a.4.rrd", "a.5.rrd", "a.rrd"]);
    for (const [i, msgs] of ENCODINGS.entries()) {
      const found = decode(files.read(i === 0 ? "a.rrd" : `a.${i + 1}.rrd`)!);
      assertEquals(found.map(key), msgs.map(key));
    }
    assertEquals(
      log.of("info").at(-1)?.split(" go to ")[0],
      "Messages encoded as protobuf as since " +
        "Rerun 0.23, compression lz4",
    );
  });
});
