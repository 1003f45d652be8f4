import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { packetWeight } from "../../../lib/encoding/rrd/packet_weight.ts";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import { pinnedBy } from "../../../lib/flow/channel/pinned_bytes.ts";
import { CORPUS } from "../../fuzz/corpus.ts";
import { mutant } from "../../fuzz/mutations.ts";
import { caseRandom } from "../../random.ts";
import { concat, rrdHeader, rrdMessage, setStoreInfo } from "../rrd_builder.ts";

const PER_MESSAGE = 1024;

const weigh = (packet: Uint8Array) => packetWeight(packet, PER_MESSAGE, 4096);

/** What decoding really makes: objects, and buffers beside the packet's own. */
function made(packet: Uint8Array): number {
  const { items } = new RrdDecoder().decodePacket(packet);
  const own = pinnedBy(items).buffers.filter((buffer) => buffer !== packet.buffer);
  return items.length * PER_MESSAGE + own.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

describe("packetWeight", () => {
  it("is what a good packet of any SDK takes, compressed or not", () => {
    let same = 0;
    for (const [i, packet] of CORPUS.entries()) {
      const weight = weigh(packet);
      if (weight === made(packet)) same++;
      // What an announcement was inflated to is not kept; nothing is known of its kind here.
      else assert(weight > made(packet) && weight < 2 * PER_MESSAGE, `packet ${i}: ${weight}`);
    }
    assert(same > 0.9 * CORPUS.length, `${same} of ${CORPUS.length}`);
  });

  it("counts every message, and lengths that are made equal in a copy", () => {
    const message = rrdMessage(setStoreInfo());
    const twice = concat(rrdHeader(), message, message, rrdHeader(), message);
    assertEquals([weigh(twice), made(twice)], [3 * PER_MESSAGE, 3 * PER_MESSAGE]);
    const unequal = message.slice();
    unequal[0]! ^= 1;
    const packet = concat(rrdHeader(), unequal);
    assertEquals(weigh(packet), made(packet));
    assert(weigh(packet) > PER_MESSAGE);
  });

  it("counts what stands behind end markers and footers", () => {
    const stream = concat(rrdHeader(), rrdMessage(setStoreInfo()));
    const ended = concat(stream, new Uint8Array(8), stream);
    assertEquals([weigh(ended), made(ended)], [2 * PER_MESSAGE, 2 * PER_MESSAGE]);
    const footer = Uint8Array.of(...Array(8).fill(0), 5, ...Array(7).fill(0), 1, 2, 3, 4, 5);
    const protobuf = concat(rrdHeader({ serializer: 2 }), footer, new Uint8Array(32), stream);
    assertEquals([weigh(protobuf), made(protobuf)], [PER_MESSAGE, PER_MESSAGE]);
  });

  it("is never less than what a damaged packet takes", () => {
    for (let i = 0; i < 3000; i++) {
      const { bytes } = mutant(CORPUS, caseRandom(5, i));
      assert(weigh(bytes) >= made(bytes), `seed 5, case ${i}`);
    }
  });

  it("takes no longer for a packet that says it has millions of messages", () => {
    const zeros = concat(rrdHeader(), new Uint8Array(1_000_000).fill(1, 0, 1));
    assert(weigh(zeros) <= 4096 * PER_MESSAGE + 2 ** 32);
    assertEquals(weigh(new Uint8Array(0)), 0);
    assertEquals(weigh(rrdHeader()), 0);
  });
});
