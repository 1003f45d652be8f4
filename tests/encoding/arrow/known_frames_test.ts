import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { checkFrame } from "../../../lib/encoding/arrow/_arrow_frame.ts";
import { FlatTable, STRUCTURE, TEXT } from "../../../lib/encoding/arrow/_flatbuffers.ts";
import { findMetadata } from "../../../lib/encoding/arrow/_ipc_message.ts";
import type { Column } from "../../../lib/encoding/arrow/_arrow_columns.ts";
import { KnownFrames } from "../../../lib/encoding/arrow/_known_frames.ts";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import { capturePackets } from "../../fixtures.ts";
import { seeded } from "../../random.ts";
import { cases } from "../../counts.ts";

/** Random cases that are tried. */
const ROUNDS = cases(1200, 400);

const STREAMS = ["0.17.0-mixed", "0.22.1-mixed"].flatMap((name) =>
  capturePackets(name).flatMap((packet) => new RrdDecoder().decodePacket(packet).items)
).flatMap((msg) => msg.kind === "ArrowMsg" ? [msg.ipc()] : []).filter((ipc) => ipc.length < 6000);

function isSound(ipc: Uint8Array, known: KnownFrames): boolean {
  try {
    checkFrame(ipc, known);
    return true;
  } catch {
    return false;
  }
}

describe("known frames", () => {
  it("are found again where only text differs", () => {
    const known = new KnownFrames();
    const [ipc] = STREAMS;
    const place = findMetadata(ipc!, 0);
    assertEquals(known.schema(ipc!, place), undefined);
    checkFrame(ipc!, known);
    const schema = known.schema(ipc!, place)!;
    assert(known.batch(schema, ipc!, findMetadata(ipc!, place.end)) !== undefined);
    const text = new TextDecoder("latin1").decode(ipc);
    const id = text.indexOf("rerun.id") < 0 ? -1 : text.search(/[0-9A-F]{32}/i);
    assert(id > 0);
    const other = ipc!.slice();
    other.fill(0x41, id, id + 32);
    assertEquals(known.schema(other, place), schema);
    other[id] = 0xff;
    assertEquals(known.schema(other, place), undefined);
    assertEquals(isSound(other, known), false);
  });

  it("are like no frame that would be found unsound without them", () => {
    const seed = 20_261_124;
    const random = seeded(seed);
    const below = (n: number) => Math.floor(random() * n);
    const counts = { sound: 0, unsound: 0, like: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      // Half of them damaged so that they pass: places may overlap in them.
      let base = STREAMS[below(STREAMS.length)]!;
      for (let i = 0; i < 8 && round % 2 === 0; i++) {
        const changed = damaged(base, below, 1 + below(3));
        if (isSound(changed, new KnownFrames())) base = changed;
      }
      const known = new KnownFrames();
      checkFrame(base, known);
      const ipc = damaged(base, below, 1 + below(2));
      const fresh = isSound(ipc, new KnownFrames());
      if (isFound(ipc, known)) counts.like++;
      assertEquals(isSound(ipc, known), fresh, `seed ${seed}, round ${round}`);
      counts[fresh ? "sound" : "unsound"]++;
    }
    assert(
      Math.min(counts.sound, counts.unsound, counts.like) > ROUNDS / 8,
      JSON.stringify(counts),
    );
  });

  it("have no text where a byte is structure too", () => {
    // A table whose one field is a text of eight bytes, the first six of which are its vtable.
    const table = [4, 0, 0, 0, 0xf4, 0xff, 0xff, 0xff, 4, 0, 0, 0];
    const bytes = Uint8Array.of(...table, 8, 0, 0, 0, 6, 0, 8, 0, 4, 0, 0x41, 0x42);
    const reads = new Uint8Array(bytes.length);
    assertEquals(FlatTable.root(bytes, reads).checkString(0), true);
    assertEquals(reads.subarray(0, 16), new Uint8Array(16).fill(STRUCTURE));
    const [S, T] = [STRUCTURE, TEXT];
    assertEquals(Array.from(reads.subarray(16)), [S, S, T, T, S, S, T, T]);
    // Whichever is read first.
    const again = new Uint8Array(bytes.length).fill(TEXT);
    FlatTable.root(bytes, again).checkString(0);
    assertEquals(Array.from(again.subarray(16)), [S, S, T, T, S, S, T, T]);
  });

  it("are few, however many come", () => {
    const known = new KnownFrames();
    const reads = new Uint8Array(4096).fill(STRUCTURE);
    const place = (length: number) => ({ start: 0, end: length });
    for (let length = 4; length <= 4000; length += 4) {
      known.addSchema(new Uint8Array(length), place(length), reads.subarray(0, length), []);
    }
    assertEquals(known.schema(new Uint8Array(4), place(4)), undefined);
    assert(known.schema(new Uint8Array(4000), place(4000)) !== undefined);
    for (let n = 0; n < 100; n++) {
      known.addSchema(new Uint8Array(8).fill(n), place(8), reads.subarray(0, 8), []);
    }
    assertEquals(known.schema(new Uint8Array(8), place(8)), undefined);
    assert(known.schema(new Uint8Array(8).fill(99), place(8)) !== undefined);
    assertEquals(known.takes(place(1 << 20)), false);
    const column = { type: 2, size: 8, dictionary: undefined, children: [], typeIds: [] };
    const many = Array.from({ length: 300 }, () => column) as unknown as Column[];
    assertEquals(
      known.addSchema(new Uint8Array(12), place(12), reads.subarray(0, 12), many),
      undefined,
    );
  });
});

function isFound(ipc: Uint8Array, known: KnownFrames): boolean {
  try {
    return known.schema(ipc, findMetadata(ipc, 0)) !== undefined;
  } catch {
    return false;
  }
}

/** A copy with a few bytes changed, many of them to other letters. */
function damaged(real: Uint8Array, below: (n: number) => number, changes: number): Uint8Array {
  const ipc = real.slice();
  const view = new DataView(ipc.buffer);
  for (let n = changes; n > 0; n--) {
    const at = below(ipc.length - 4);
    const kind = below(4);
    if (kind === 0) ipc[at] = 0x20 + below(96);
    else if (kind === 1) ipc[at] = below(256);
    else if (kind === 2) view.setInt32(at & ~3, [1, -1][below(2)]! * 4 * below(400), true);
    else ipc[at]! ^= 1 << below(8);
  }
  return ipc;
}
