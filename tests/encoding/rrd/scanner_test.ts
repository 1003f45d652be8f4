import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import { RrdDamage } from "../../../lib/encoding/rrd/part.ts";
import { concat, rrdHeader, rrdMessage, setStoreInfo } from "../rrd_builder.ts";
import { describeMsg, fixture } from "../../fixtures.ts";
import { randomPieces, seeded } from "../../random.ts";
import { RECORDINGS, scan } from "../../recordings/inputs.ts";
import { cases } from "../../counts.ts";

/** Damages of each recording; tests/fuzz/recover.ts tries more, and several at once. */
const SEEDS = cases(15, 5);

describe("RrdScanner", () => {
  for (const [name, bytes] of RECORDINGS) {
    it(`finds in ${name} what RrdDecoder does, in any pieces, and every byte`, () => {
      const expected = new RrdDecoder().push(bytes).items.map(describeMsg);
      for (const recover of [false, true]) {
        for (const seed of [1, 2, 3]) {
          const { parts, error } = scan(randomPieces(bytes, seeded(seed)), { recover });
          assertEquals(error, undefined);
          const found = parts.flatMap((part) => part.kind === "message" ? [part.msg] : []);
          assertEquals(found.map(describeMsg), expected);
          let at = 0;
          for (const part of parts) {
            assertEquals(part.offset, at);
            at += part.bytes;
          }
          assertEquals(at, bytes.length);
        }
      }
    });
  }

  it("says where the first damage is, and hands out what comes before", () => {
    const [, bytes] = RECORDINGS[1]!;
    const messages = scan([bytes]).parts.filter((part) => part.kind === "message");
    const third = messages[2]!;
    const damaged = bytes.slice();
    damaged.fill(0xff, third.offset + 8, third.offset + third.bytes);
    const { parts, error } = scan([damaged]);
    assertInstanceOf(error, RrdDamage);
    assertEquals(error.offset, third.offset);
    assertEquals(parts.filter((part) => part.kind === "message").length, 2);
  });

  it("refuses what is no recording, and an empty file", () => {
    assertEquals(
      scan([new TextEncoder().encode("no recording")]).error?.message.slice(0, 10),
      "at byte 0:",
    );
    assertInstanceOf(scan([]).error, RrdDamage);
  });
});

describe("RrdScanner, where a stream ends", () => {
  const header = rrdHeader();
  const info = rrdMessage(setStoreInfo());
  const msgpackEnd = new Uint8Array(8);
  const protobuf = fixture("encodings/0.22.1-mixed-protobuf-off.rrd");
  const kinds = (...pieces: Uint8Array[]) => {
    const { parts, error } = scan([concat(...pieces)]);
    const list = parts.map(({ kind }) => kind);
    return error === undefined ? list : [...list, (error as RrdDamage).offset];
  };

  it("takes a header or the end of the file behind an end marker, and nothing else", () => {
    const whole: ReturnType<typeof kinds> = ["header", "message", "end"];
    assertEquals(kinds(header, info, msgpackEnd), whole);
    assertEquals(kinds(header, info, msgpackEnd, header, info, msgpackEnd), [...whole, ...whole]);
    const at = 12 + info.length + 8;
    for (const behind of [info, new Uint8Array(64 << 10), Uint8Array.of(7), header.slice(0, 11)]) {
      assertEquals(kinds(header, info, msgpackEnd, behind), [...whole, at]);
    }
    const end = protobuf.length;
    for (const behind of [Uint8Array.of(0), new Uint8Array(16), new Uint8Array(32)]) {
      assertEquals(kinds(protobuf, behind).slice(-2), ["end", end]);
    }
  });

  it("goes on behind it where it recovers", () => {
    const hole = new Uint8Array(1000);
    const { parts } = scan([concat(header, info, hole, info, msgpackEnd)], { recover: true });
    assertEquals(
      parts.map(({ kind, offset, bytes }) => [kind, offset, bytes]).slice(2),
      [
        ["end", 12 + info.length, 8],
        ["damage", 20 + info.length, 992],
        ["message", 1012 + info.length, info.length],
        ["end", 1012 + 2 * info.length, 8],
      ],
    );
  });

  it("tells an end marker with a message right behind it, which costs no byte", () => {
    const pieces = concat(header, info, msgpackEnd, info, msgpackEnd);
    const { parts } = scan([pieces], { recover: true });
    const at = 20 + info.length;
    assertEquals(
      parts.map(({ kind, offset, bytes }) => [kind, offset, bytes]).slice(2, 5),
      [["end", at - 8, 8], ["damage", at, 0], ["message", at, info.length]],
    );
  });

  it("takes stray bytes for damage", () => {
    for (let n = 1; n <= 7; n++) {
      assertEquals(kinds(header, info, new Uint8Array(n)), ["header", "message", 12 + info.length]);
    }
    const cut = protobuf.subarray(0, -1);
    assertEquals(kinds(cut).at(-1), protobuf.length - 16);
  });

  it("tells where an end marker is missing, of Rerun 0.19 and later", () => {
    const { parts } = scan([concat(header, info, header, info)]);
    assertEquals(
      parts.filter(({ kind }) => kind === "no-end").map(({ offset, bytes }) => [offset, bytes]),
      [[12 + info.length, 0], [2 * (12 + info.length), 0]],
    );
    assertEquals(kinds(rrdHeader({ version: [0, 18, 2, 0] }), info), ["header", "message"]);
    assertEquals(kinds(rrdHeader({ version: [0, 19, 0, 0] })), ["header", "no-end"]);
    const stopped = fixture("grpc/0.41.0.saved-by-rerun.rrd");
    assertEquals(kinds(stopped).at(-1), "no-end");
  });

  it("compares a footer with its checksum, length and place", () => {
    const file = fixture("grpc/0.41.0-mixed.readback.rrd");
    assertEquals(kinds(file).at(-1), "end");
    assertEquals(kinds(file, file).filter((kind) => kind === "end").length, 2);
    const trailer = file.length - 32;
    const footerAt = Number(new DataView(file.buffer).getBigUint64(trailer, true));
    for (const at of [footerAt, trailer - 1, trailer, trailer + 8, trailer + 16, trailer + 20]) {
      for (const place of [at, at + 3]) {
        const damaged = file.slice();
        damaged[place]! ^= 4;
        assertEquals(kinds(damaged).at(-1), footerAt - 16, `byte ${place}`);
      }
    }
    assertEquals(kinds(file, Uint8Array.of(0)).at(-1), file.length);
    assertEquals(kinds(file.subarray(0, -1)).at(-1), footerAt - 16);
  });

  it("takes the trailer of a file without data, which has no other footer", () => {
    const header = rrdHeader({ version: [0, 41, 0, 0], compression: 1, serializer: 2 });
    const end = new Uint8Array(16 + 32);
    const view = new DataView(end.buffer);
    view.setBigUint64(16, 28n, true);
    view.setUint32(32, 0x2a973671, true);
    end.set(new TextEncoder().encode("RRF2FOOT"), 36);
    view.setUint32(44, 1, true);
    assertEquals(kinds(header, end), ["header", "end"]);
    end[32]! ^= 1;
    assertEquals(kinds(header, end), ["header", 12]);
  });

  it("refuses what would draw the next messages in", () => {
    const both = rrdMessage(concat(setStoreInfo(), info));
    assertEquals(kinds(header, both, msgpackEnd), ["header", 12]);
    const one = info.slice();
    new DataView(one.buffer).setUint32(0, 2 * info.length, true);
    assertEquals(kinds(header, one, info, msgpackEnd), ["header", 12]);
    const { bytes } = scan([protobuf]).parts.find(({ kind }) => kind === "message")!;
    const odd = protobuf.slice();
    odd[13] = 1;
    assertEquals(kinds(odd.subarray(0, 12 + bytes)), ["header", 12]);
  });
});

describe("RrdScanner, recovering", () => {
  it("goes on under a guessed header where the first is gone", () => {
    for (const [name, bytes] of RECORDINGS.slice(0, 5)) {
      const whole = scan([bytes]).parts.filter((part) => part.kind === "message").length;
      const { parts, error } = scan([bytes.subarray(12)], { recover: true });
      assertEquals([name, error], [name, undefined]);
      assertEquals(parts.filter((part) => part.kind === "message").length, whole, name);
      assert(parts.some((part) => part.kind === "header" && part.isGuessed));
    }
  });

  it("finds messages of programs that write msgpack in longer forms than SDKs do", () => {
    const [, bytes] = RECORDINGS.find(([, bytes]) => {
      const header = new RrdDecoder().push(bytes).items[0]?.encoded.header;
      return header?.serializer === "msgpack" && header.compression === "off";
    })!;
    const messages = new RrdDecoder().push(bytes).items.map(({ encoded }) => encoded.bytes);
    const name = (bytes: Uint8Array) => 0x1f & bytes[9]!;
    const forms: ((bytes: Uint8Array) => Uint8Array)[] = [
      (bytes) => concat(Uint8Array.of(0xde, 0, 1), bytes.subarray(9)),
      (bytes) => concat(Uint8Array.of(0xdf, 0, 0, 0, 1, 0xd9, name(bytes)), bytes.subarray(10)),
      (bytes) => concat(Uint8Array.of(0x81, 0xda, 0, name(bytes)), bytes.subarray(10)),
      (bytes) => concat(Uint8Array.of(0x81, 0xdb, 0, 0, 0, name(bytes)), bytes.subarray(10)),
    ];
    for (const form of forms) {
      const long = messages.map((message) => rrdMessage(form(message)));
      const torn = long.at(-1)!.subarray(0, 40);
      const { parts } = scan([concat(bytes.subarray(0, 12), ...long, torn)], { recover: true });
      assertEquals(parts.filter((part) => part.kind === "message").length, messages.length);
    }
  });

  it("finds the next file behind a cut one", () => {
    const [[, first], [, second]] = [RECORDINGS[0]!, RECORDINGS[3]!];
    const messagesOf = (bytes: Uint8Array) =>
      scan([bytes], { recover: true }).parts.filter((part) => part.kind === "message").length;
    const both = concat(first.subarray(0, 100_000), second);
    assertEquals(messagesOf(both), messagesOf(first.subarray(0, 100_000)) + messagesOf(second));
  });

  for (const [name, bytes] of RECORDINGS) {
    it(`hands out what is whole and nothing else of ${name} with seeded damages`, () => {
      const originals = scan([bytes]).parts.filter((part) => part.kind === "message");
      const texts = new Set(originals.map((part) => text(bytes, part)));
      const originalPlaces = new Set(originals.map(place));
      for (let seed = 0; seed < SEEDS; seed++) {
        const random = seeded(seed);
        const { damaged, from, to, shift } = damage(bytes, random);
        const { parts, error } = scan(randomPieces(damaged, random), { recover: true });
        const label = `seed ${seed}, damage at ${from}`;
        assert(error === undefined, label);
        const found = parts.filter((part) => part.kind === "message");
        const places = new Set(found.map(place));
        for (const { offset, bytes } of originals) {
          if (offset + bytes <= from) {
            assert(places.has(place({ offset, bytes })), `${label}: lost`);
          }
          // A damaged header may cost messages; captures have one before each message.
          if (offset - 12 >= to) {
            assert(places.has(place({ offset: offset + shift, bytes })), `${label}: lost behind`);
          }
        }
        for (const part of found) {
          // Flipped data can't be told without a checksum; where it is, is still known.
          const isOriginal = shift === 0
            ? originalPlaces.has(place(part))
            : texts.has(text(damaged, part));
          assert(isOriginal, `${label}: made up ${part.offset} ${part.bytes}`);
        }
        let at = 0;
        for (const part of parts) {
          assert(part.offset === at, label);
          at += part.bytes;
        }
        assert(at === damaged.length, label);
      }
    });
  }
});

function place({ offset, bytes }: { offset: number; bytes: number }): string {
  return `${offset} ${bytes}`;
}

function text(bytes: Uint8Array, part: { offset: number; bytes: number }): string {
  return bytes.subarray(part.offset, part.offset + part.bytes).join();
}

/** Flips bytes, cuts the tail, takes out a range or doubles one; where what is behind went. */
function damage(bytes: Uint8Array<ArrayBuffer>, random: () => number) {
  const from = Math.floor(random() * bytes.length);
  const length = 1 + Math.floor(random() ** 3 * 5000);
  const to = Math.min(bytes.length, from + length);
  const kind = Math.floor(random() * 4);
  const head = bytes.slice(0, from);
  if (kind === 0) {
    const damaged = bytes.slice();
    for (let n = 0; n < 5; n++) {
      damaged[from + Math.floor(random() * (to - from))]! ^= 1 << Math.floor(random() * 8);
    }
    return { damaged, from, to, shift: 0 };
  }
  if (kind === 1) return { damaged: head, from, to: Infinity, shift: -1 };
  if (kind === 2) {
    return { damaged: concat(head, bytes.subarray(to)), from, to, shift: from - to };
  }
  return { damaged: concat(bytes.slice(0, to), bytes.subarray(from)), from, to, shift: to - from };
}
