import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { WaitingPackets } from "../../../lib/flow/channel/waiting_packets.ts";

const KiB = 1024;

/** So many packets of one length in one buffer; they are no RRD, so decoding makes nothing of them. */
function cut(count: number, length: number) {
  const bytes = new Uint8Array(count * length);
  const packets = Array.from(
    { length: count },
    (_, i) => bytes.subarray(i * length, (i + 1) * length),
  );
  return { bytes, packets };
}

describe("WaitingPackets", () => {
  it("gives all at once where much is free", () => {
    const waiting = new WaitingPackets();
    const { bytes, packets } = cut(10, KiB);
    waiting.put(packets, bytes);
    assert(waiting.take({ free: 1e9, isEmpty: false }, Infinity) === packets);
    assertEquals([waiting.isEmpty, waiting.needs], [true, 0]);
  });

  it("gives as many as fit, and says what the next needs", () => {
    const waiting = new WaitingPackets();
    const { bytes, packets } = cut(10, KiB);
    waiting.put(packets, bytes);
    // Less than half of a buffer counts twice: it is copied.
    const taken = waiting.take({ free: 6 * KiB, isEmpty: false }, Infinity);
    assertEquals(taken, packets.slice(0, 3));
    assert(taken.every((packet) => packet.buffer === bytes.buffer));
    assertEquals([waiting.isEmpty, waiting.needs], [false, 2 * KiB]);
    assertEquals(waiting.take({ free: 100 * KiB, isEmpty: false }, Infinity), packets.slice(3));
    assertEquals([waiting.isEmpty, waiting.needs], [true, 0]);
  });

  it("gives one whatever it needs where nothing else waits", () => {
    const waiting = new WaitingPackets();
    const { bytes, packets } = cut(3, KiB);
    waiting.put(packets, bytes);
    assertEquals(waiting.take({ free: 0, isEmpty: false }, Infinity), []);
    assertEquals(waiting.needs, 2 * KiB);
    assertEquals(waiting.take({ free: 0, isEmpty: true }, Infinity), packets.slice(0, 1));
    assertEquals(waiting.takeAll(), packets.slice(1));
    assertEquals([waiting.isEmpty, waiting.needs], [true, 0]);
  });

  it("counts the whole buffer of a first packet that has its own, once", () => {
    const waiting = new WaitingPackets();
    const own = new Uint8Array(64 * KiB).subarray(0, 40 * KiB);
    const { bytes, packets } = cut(2, KiB);
    waiting.put([own, ...packets], bytes);
    assertEquals(waiting.take({ free: 63 * KiB, isEmpty: false }, Infinity), []);
    assertEquals(waiting.needs, 64 * KiB);
    assertEquals(waiting.take({ free: 64 * KiB, isEmpty: false }, Infinity), [own]);
    assertEquals(waiting.take({ free: 2 * KiB, isEmpty: false }, Infinity), packets);
  });

  it("keeps nothing once it was cleared, or others were put", () => {
    const waiting = new WaitingPackets();
    const { bytes, packets } = cut(3, KiB);
    waiting.put(packets, bytes);
    waiting.take({ free: 0, isEmpty: false }, Infinity);
    waiting.clear();
    assertEquals([waiting.isEmpty, waiting.needs, waiting.takeAll()], [true, 0, []]);
    waiting.put(packets, bytes);
    waiting.put(packets.slice(2), bytes);
    assertEquals(waiting.takeAll(), packets.slice(2));
    waiting.put([], bytes);
    assert(waiting.isEmpty);
  });
});
