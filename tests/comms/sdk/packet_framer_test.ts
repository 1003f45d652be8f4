import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { PacketFramer } from "../../../lib/comms/sdk/packet_framer.ts";
import { PacketTooLarge, TruncatedPacket } from "../../../lib/base/errors.ts";
import { concat } from "../../encoding/rrd_builder.ts";
import { cases } from "../../counts.ts";
import { randomPieces, seeded } from "../../random.ts";

function prefix(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, length, true);
  return bytes;
}

const framed = (content: Uint8Array) => concat(prefix(content.length), content);

describe("PacketFramer", () => {
  it("cuts packets of any size, split at any byte", () => {
    for (let seed = 1; seed <= cases(100, 15); seed++) {
      const random = seeded(seed);
      const packets = Array.from({ length: 1 + random() * 30 }, () => {
        const length = random() < 0.2 ? 0 : Math.floor(random() ** 4 * 300_000);
        return new Uint8Array(length).map(() => random() * 256);
      });
      const framer = new PacketFramer(1 << 20);
      const cut = randomPieces(concat(...packets.map(framed)), random)
        .flatMap((piece) => framer.push(piece).items);
      assertEquals(cut, packets, `seed ${seed}`);
      assertEquals(framer.finish(), { items: [] });
    }
  });

  it("gives whole packets inside a read as views on it", () => {
    const read = concat(framed(Uint8Array.of(1, 2)), framed(Uint8Array.of(3)), prefix(9));
    const { items } = new PacketFramer(100).push(read);
    assertEquals(items, [Uint8Array.of(1, 2), Uint8Array.of(3)]);
    for (const item of items) assert(item.buffer === read.buffer);
  });

  it("takes memory as bytes arrive: 64 KiB, then 256 more at a time, never on the packet's word", () => {
    const framer = new PacketFramer(512 << 20);
    framer.push(prefix(400 << 20));
    assertEquals(framer.unfinishedBytes, 0);
    framer.push(new Uint8Array(1));
    assertEquals(framer.unfinishedBytes, 64 << 10);
    let received = 1;
    for (let i = 0; i < 100; i++) {
      framer.push(new Uint8Array(10_000));
      received += 10_000;
      const spare = framer.unfinishedBytes - received;
      assert(spare < 256 << 10 && spare >= 0, `${spare}`);
    }
  });

  it("takes no more than the packet needs", () => {
    const framer = new PacketFramer(1 << 20);
    framer.push(concat(prefix(100), new Uint8Array(99)));
    assertEquals(framer.unfinishedBytes, 100);
    const { items: [packet] } = framer.push(new Uint8Array(1));
    assertEquals(packet!.buffer.byteLength, 100);
    assertEquals(framer.unfinishedBytes, 0);
  });

  it("copies a straddling packet once when one of its size came before", () => {
    const framer = new PacketFramer(1 << 30);
    const send = (length: number) => {
      framer.push(prefix(length));
      framer.push(new Uint8Array(1000));
      const first = framer.unfinishedBytes;
      framer.push(new Uint8Array(length - 1000));
      return first;
    };
    assertEquals(send(900_000), 64 << 10);
    assertEquals(send(900_000), 900_000);
    // Beyond 4 MiB it comes in pieces again: what one client may make us take up front is bounded.
    send(40 << 20);
    assertEquals(send(40 << 20), 4 << 20);
  });

  it("refuses a packet over the limit, and delivers those before it", () => {
    const framer = new PacketFramer(10);
    const { items, error } = framer.push(concat(framed(new Uint8Array(10)), prefix(11), prefix(0)));
    assertEquals(items, [new Uint8Array(10)]);
    assertInstanceOf(error, PacketTooLarge);
    assertEquals([error.declaredBytes, error.limitBytes], [11, 10]);
    assertEquals(
      error.message,
      "A packet of 11 bytes is over the limit of 10 bytes (--max-packet, option maxPacketBytes)",
    );
    const huge = new PacketFramer(512 << 20).push(prefix(2 ** 32 - 1)).error;
    assertInstanceOf(huge, PacketTooLarge);
    assertEquals(huge.declaredBytes, 2 ** 32 - 1);
  });

  it("tells an end inside a length or a packet, with what came of it", () => {
    const end = (bytes: Uint8Array) => {
      const framer = new PacketFramer(100);
      framer.push(framed(Uint8Array.of(1)));
      framer.push(bytes);
      const { error } = framer.finish();
      assertInstanceOf(error, TruncatedPacket);
      return [error.receivedBytes, error.expectedBytes];
    };
    assertEquals(end(prefix(5).subarray(0, 3)), [3, undefined]);
    assertEquals(end(prefix(5)), [4, 9]);
    assertEquals(end(concat(prefix(5), new Uint8Array(4))), [8, 9]);
  });
});
