import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { memoryTcp } from "../../lib/adapters/tcp/memory_tcp.ts";
import { chunk } from "../../lib/encoding/mod.ts";
import { Server } from "../../lib/server/server.ts";
import { silentLog } from "../../lib/base/log.ts";
import { withArrow } from "../bench/streams.ts";
import { pointMessages } from "../bench/chunk_packets.ts";
import { capturePackets, CAPTURES, fixture } from "../fixtures.ts";

const ROUNDS = 6;

/** As SDK 0.22 sends them: 100,000 points a packet, whose data does not begin at a multiple of 8. */
function pointPackets(): Uint8Array[] {
  const [first, second, , , like] = capturePackets("0.22.1-mixed");
  const clouds = pointMessages(ROUNDS).map(({ arrow: { bytes } }) => {
    const packet = Buffer.from(withArrow(like!, bytes.length, 0));
    packet.set(bytes, packet.length - bytes.length);
    return packet;
  });
  return [first!, second!, ...clouds];
}

describe("a server that receives large packets", () => {
  it("puts them where their numbers can be read without a copy, from the second on", async () => {
    assert(CAPTURES.includes("0.22.1-mixed"));
    const net = memoryTcp();
    await using server = await Server.listen(net, { reuseBuffers: true, log: silentLog });
    const writer = (await net.connect()).writable.getWriter();
    const sending = (async () => {
      await writer.write(fixture("captures/0.22.1-mixed.bin").slice(0, 7));
      for (const packet of pointPackets()) {
        const length = Buffer.alloc(4);
        length.writeUInt32LE(packet.length);
        const framed = Buffer.concat([length, packet]);
        for (let at = 0; at < framed.length; at += 100_000) {
          await writer.write(framed.subarray(at, at + 100_000));
        }
      }
      await writer.close();
    })();
    const inPlace: boolean[] = [];
    for await (const { payload } of server) {
      if (payload.type === "quit") break;
      if (payload.msg.kind !== "ArrowMsg") continue;
      const points = chunk(payload.msg).component("Points3D:positions")!.at(0)!;
      assertEquals([points.length, points[0]], [300_000, inPlace.length + 1]);
      inPlace.push(points.buffer === payload.msg.arrow.bytes.buffer);
    }
    await sending;
    assertEquals(inPlace, [false, ...Array(ROUNDS - 1).fill(true)]);
  });
});
