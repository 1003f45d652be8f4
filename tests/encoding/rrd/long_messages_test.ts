import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { tableFromArrays, tableToIPC } from "apache-arrow";
import { encode } from "@msgpack/msgpack";
import { compressLz4 } from "../../../lib/encoding/lz4/lz4_deflate.ts";
import { NO_LIMITS } from "../../../lib/encoding/limits.ts";
import { encodeLogMsg, protobufHeader } from "../../../lib/encoding/protobuf/encode_log_msg.ts";
import { RrdScanner } from "../../../lib/encoding/rrd/scanner.ts";
import { concat, rrdHeader, rrdMessage } from "../rrd_builder.ts";
import { RECORDINGS, scan } from "../../recordings/inputs.ts";
import { cases } from "../../counts.ts";

const GIB = 2 ** 30;

/** A message of SDK 0.22 with Arrow data of that many bytes, behind a header. */
function msgpackFile(bytes: number): Uint8Array<ArrayBuffer> {
  const values = Float64Array.from({ length: bytes / 8 }, (_, i) => i * 0.37);
  const data = tableToIPC(tableFromArrays({ values }), "stream");
  const store = { kind: "Recording", id: "rec" };
  const chunk = [{ time_ns: 3, inc: 4 }, {}, data];
  return concat(rrdHeader(), rrdMessage(encode({ ArrowMsg: [store, chunk] })));
}

function asLz4(file: Uint8Array): Uint8Array<ArrayBuffer> {
  const payload = file.subarray(20);
  const block = compressLz4(payload);
  const lengths = new Uint8Array(Uint32Array.of(block.length, payload.length).buffer);
  return concat(rrdHeader({ compression: 1 }), lengths, block);
}

function asProtobuf(file: Uint8Array, minor: number): Uint8Array<ArrayBuffer> {
  const [part] = scan([file]).parts.filter((part) => part.kind === "message");
  const header = protobufHeader({ major: 0, minor, patch: 1, meta: 0 });
  return concat(header.bytes, encodeLogMsg(part!.msg, minor < 23 ? "v0" : "v1alpha1")!);
}

/** As SDK 0.41 has it: with a chunk id and a flag behind the data. */
function withFieldsBehind(file: Uint8Array): Uint8Array<ArrayBuffer> {
  const id = Uint8Array.of(0x32, 18, 9, 1, 2, 3, 4, 5, 6, 7, 8, 17, 1, 2, 3, 4, 5, 6, 7, 8);
  const bytes = concat(file, id, Uint8Array.of(0x38, 1));
  new DataView(bytes.buffer).setBigUint64(20, BigInt(bytes.length - 28), true);
  return bytes;
}

/** In pieces as a file is read. */
function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.slice(at, at + 65_536);
}

describe("messages that are said to be long", () => {
  for (const [name, original] of RECORDINGS.slice(0, 5)) {
    it(`are not waited for where that is not so: ${name}`, () => {
      const messages = scan([original]).parts.filter((part) => part.kind === "message");
      for (const n of [0, 1, messages.length >> 1, messages.length - 2]) {
        const { offset, header } = messages[n]!;
        const bytes = original.slice();
        const view = new DataView(bytes.buffer);
        if (header.serializer === "protobuf") view.setBigUint64(offset + 8, BigInt(GIB), true);
        else {
          view.setUint32(offset, GIB, true);
          if (header.compression === "off") view.setUint32(offset + 4, GIB, true);
        }
        const scanner = new RrdScanner({ ...NO_LIMITS, recover: true, sizeBytes: 3 * GIB });
        const parts = scanner.push(bytes).items.slice();
        for (const piece of pieces(new Uint8Array(2 << 20))) {
          parts.push(...scanner.push(piece).items);
        }
        // The rest of the 3 GiB never comes, and all that is whole is there.
        const found = parts.filter((part) => part.kind === "message").map(({ offset }) => offset);
        assertEquals(found, messages.map(({ offset }) => offset).filter((_, i) => i !== n));
        assert(scanner.offset > bytes.length, `${scanner.offset} of ${bytes.length} bytes`);
      }
    });
  }

  it("are whole where that is so, in all encodings", () => {
    const file = msgpackFile(3 << 20);
    const files = [file, asLz4(file), asProtobuf(file, 22), asProtobuf(file, 41)];
    files.push(withFieldsBehind(files[3]!));
    for (const [i, bytes] of files.entries()) {
      assert(bytes.length > 1.5 * 2 ** 20, `${i}: ${bytes.length} bytes`);
      const { parts } = scan([...pieces(bytes)], { recover: true, sizeBytes: bytes.length });
      const damage = parts.find((part) => part.kind === "damage");
      assertEquals(damage, undefined);
      const kinds = parts.filter(({ kind }) => kind !== "no-end").map(({ kind }) => kind);
      assertEquals([i, ...kinds], [i, "header", "message"]);
    }
    // Wherever what is there ends: none of them may be taken for damage.
    for (const bytes of files) {
      for (let missing = 1; missing < 64; missing += cases(1, 7)) {
        const scanner = new RrdScanner({ recover: true, sizeBytes: bytes.length });
        const cut = bytes.length - missing;
        const { items } = scanner.push(bytes.subarray(0, cut));
        assertEquals(items.map(({ kind }) => kind), ["header"]);
        assertEquals(scanner.push(bytes.subarray(cut)).items.map(({ kind }) => kind), ["message"]);
      }
    }
  });

  it("are searched bit by bit where damage is long", () => {
    const [, original] = RECORDINGS[0]!;
    const junk = new Uint8Array(1 << 20).fill(0xff);
    const scanner = new RrdScanner({ recover: true, searchBytes: 65_536 });
    const parts = scanner.push(concat(original.subarray(0, 12), junk, original.subarray(12))).items;
    assertEquals(parts.filter(({ kind }) => kind === "message"), []);
    let turns = 0;
    for (; scanner.isSearching; turns++) parts.push(...scanner.push(new Uint8Array(0)).items);
    parts.push(...scanner.finish().items);
    const whole = scan([original]).parts.filter(({ kind }) => kind === "message").length;
    assertEquals(parts.filter(({ kind }) => kind === "message").length, whole);
    assertEquals(turns, 16);
  });
});
