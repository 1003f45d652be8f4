import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { Pacer, packetPieces } from "../../lib/recordings/replay.ts";
import { PacketDecoder } from "../../lib/encoding/rrd/packet_decoder.ts";
import { arrowMsg, concat, Entries, rrdHeader, rrdMessage } from "../encoding/rrd_builder.ts";
import { describeMsg, fixture } from "../fixtures.ts";
import { scan } from "./inputs.ts";

function messages(bytes: Uint8Array) {
  return scan([bytes]).parts.flatMap((part) => part.kind === "message" ? [part.msg] : []);
}

function at(ms: number) {
  const time = BigInt(ms) * 1_000_000n;
  const timepoint = new Entries([[{ name: "log_time", typ: "Time" }, time]]);
  return messages(concat(rrdHeader(), rrdMessage(arrowMsg(timepoint))))[0]!;
}

describe("packetPieces", () => {
  it("makes a packet that a server takes, with its length before it", () => {
    for (const name of ["msgpack-lz4", "protobuf-off"]) {
      for (const msg of messages(fixture(`encodings/0.22.1-mixed-${name}.rrd`))) {
        const packet = concat(...packetPieces(msg.encoded));
        assertEquals(new DataView(packet.buffer).getUint32(0, true), packet.length - 4);
        const { items, error } = new PacketDecoder({ onPacket() {} }).push([packet.subarray(4)]);
        assertEquals([error, items.map(describeMsg)], [undefined, [describeMsg(msg)]]);
      }
    }
  });
});

describe("Pacer", () => {
  it("waits as long as it was logged later than the first message", () => {
    const pacer = new Pacer(1);
    assertEquals(pacer.delay(at(5000), 100), 0);
    assertEquals(pacer.delay(at(5250), 100), 250);
    assertEquals(pacer.delay(at(5250), 300), 50);
    assertEquals(pacer.delay(at(5250), 400), 0);
    assertEquals(pacer.delay(at(4000), 400), 0);
  });

  it("skips what is more than the largest gap, either way, and goes on in pace behind it", () => {
    const pacer = new Pacer(1, 10);
    const delays = [0, 300, 10_000, 3_600_000, 3_601_000, 5000, 5500].map((ms) => {
      const delay = pacer.delay(at(ms), 100);
      return [delay, pacer.jumpSec];
    });
    assertEquals(delays, [
      [0, 0],
      [300, 0],
      [10_000, 0],
      [0, 3590],
      [1000, 0],
      [0, -3596],
      [500, 0],
    ]);
  });

  it("takes small steps back for messages out of order, not for a jump", () => {
    const pacer = new Pacer(1);
    pacer.delay(at(10_000), 0);
    assertEquals([pacer.delay(at(9000), 0), pacer.jumpSec], [0, 0]);
    assertEquals([pacer.delay(at(10_500), 0), pacer.jumpSec], [500, 0]);
  });

  it("goes faster, or as fast as it can", () => {
    const twice = new Pacer(2);
    twice.delay(at(0), 0);
    assertEquals(twice.delay(at(1000), 0), 500);
    const max = new Pacer(Infinity);
    max.delay(at(0), 0);
    assertEquals(max.delay(at(1000), 0), 0);
  });
});
