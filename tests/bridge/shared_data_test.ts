import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { Bridge } from "../../lib/bridge/mod.ts";
import { readFrame } from "../../lib/comms/grpc/message_proxy.ts";
import { ArrowMsg } from "../../lib/encoding/arrow_msg.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { lengthOf, partsOf } from "../../lib/encoding/split_encoded.ts";
import { concat } from "../encoding/rrd_builder.ts";
import { BRIDGED, capturedMessages, chunk, chunkOf } from "./chunks.ts";

const LARGE_BYTES = 100_000;

/** A chunk whose data is as large as that of an image, and like no other's. */
function large(seed = 1): ArrowMsg {
  const data = Uint8Array.from({ length: LARGE_BYTES }, (_, i) => i * seed);
  return chunkOf(concat(chunk(["rerun.components.Scalar"]).ipc(), data));
}

function arrowOf(msg: LogMsg): ArrowMsg {
  assert(msg instanceof ArrowMsg);
  return msg;
}

describe("a bridge that shares data", () => {
  for (const name of BRIDGED) {
    it(`gives the bytes that others give: ${name}`, () => {
      const [bridge, other] = [new Bridge({ sharesData: true }), new Bridge()];
      for (const msg of capturedMessages(name)) {
        const [shared, own] = [bridge.bridge(msg), other.bridge(msg)];
        assertEquals(concat(...partsOf(shared.encoded)), own.encoded.bytes);
        assertEquals(lengthOf(shared.encoded), own.encoded.bytes.length);
        assertEquals(shared.encoded.bytes, own.encoded.bytes);
        if (shared.kind !== "ArrowMsg") continue;
        assertEquals({ ...shared.arrow }, { ...arrowOf(own).arrow });
        assertEquals([shared.chunkId, shared.isStatic], [
          arrowOf(own).chunkId,
          arrowOf(own).isStatic,
        ]);
      }
    });
  }

  it("takes no memory for what is large, until it is asked for in one piece", () => {
    const msg = large();
    const { encoded, arrow } = arrowOf(new Bridge({ sharesData: true }).bridge(msg));
    const [front, rest] = partsOf(encoded);
    assert(front!.length < 4096, `${front!.length} bytes were written`);
    assert(rest!.buffer === msg.arrow.bytes.buffer);
    // Asked for first, for it is the length of all.
    assertEquals(arrow.uncompressedSize, arrow.bytes.length);
    assertEquals(concat(front!, rest!), encoded.bytes);
    assert(arrow.bytes.buffer === encoded.bytes.buffer && encoded.bytes === encoded.bytes);
  });

  it("keeps messages apart that are of one schema", () => {
    const bridge = new Bridge({ sharesData: true, reusesMemory: false });
    const made = [1, 2, 3].map((seed) => bridge.bridge(large(seed)));
    bridge.release();
    const other = [1, 2, 3].map((seed) => new Bridge().bridge(large(seed)));
    assertEquals(
      made.map(({ encoded }) => encoded.bytes),
      other.map(({ encoded }) => encoded.bytes),
    );
  });

  it("hands them to gRPC without joining them", () => {
    const msg = large();
    const bridged = new Bridge({ sharesData: true }).bridge(msg);
    const frame = readFrame(bridged, "v1alpha1") as Uint8Array[];
    assert(frame.at(-1)!.buffer === msg.arrow.bytes.buffer);
    const own = readFrame(new Bridge().bridge(msg), "v1alpha1") as Uint8Array[];
    assertEquals(concat(...frame), concat(...own));
  });
});

describe("a bridge that was not asked to share data", () => {
  it("gives messages that stay when the memory of what they were made of is used again", () => {
    const msg = large();
    const bridged = new Bridge({ reusesMemory: false }).bridge(msg);
    const before = bridged.encoded.bytes.slice();
    msg.arrow.bytes.fill(0);
    assertEquals(bridged.encoded.bytes, before);
    assertEquals(partsOf(bridged.encoded).length, 1);
  });
});
