import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { frameHead, GrpcBody } from "../../../lib/comms/grpc/body.ts";
import { CallCut, GrpcError } from "../../../lib/comms/grpc/status.ts";
import { MessageTooLarge } from "../../../lib/base/errors.ts";
import { BufferPool } from "../../../lib/memory/buffer_pool.ts";
import { FIRST_PIECES, PIECES } from "../../../lib/memory/piece_slabs.ts";
import { randomPieces, seeded } from "../../random.ts";
import { concat } from "../../encoding/rrd_builder.ts";
import { callBody, frame, framesOf, VERSIONS } from "./frames.ts";
import { cases } from "../../counts.ts";

const MAX = 1 << 20;
const body = (options = {}) => new GrpcBody({ maxMessageBytes: MAX, ...options });

/** All that comes of these pieces. */
function read(pieces: Iterable<Uint8Array>, step = body()) {
  const items: Uint8Array[] = [];
  let error: Error | undefined;
  for (const piece of pieces) {
    const result = step.push(piece);
    // Memory is used again after the next push: whoever keeps a message copies it.
    items.push(...result.items.map((item) => item.slice()));
    step.releaseTaken();
    error ??= result.error;
  }
  return { items, error: error ?? step.finish().error };
}

/** Bytes of this length that tell where they are. */
function pattern(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 7 + (i >> 8)) & 0xff);
}

describe("gRPC bodies", () => {
  const messages = [0, 3, 0, 1, 300, 40, 0].map(pattern);
  const bytes = concat(...messages.map((message) => frame(message)));

  for (const headroom of [0, 16]) {
    it(`give the same messages at every split in three, with ${headroom} bytes of headroom`, () => {
      for (let a = 0; a <= bytes.length; a++) {
        for (let b = a; b <= bytes.length; b += cases(1, 5) + (b % 7)) {
          const pieces = [bytes.slice(0, a), bytes.slice(a, b), bytes.slice(b)];
          assertEquals(read(pieces, body({ headroom })).items, messages, `${a} ${b}`);
        }
      }
    });

    it(`byte by byte, with ${headroom}`, () => {
      const pieces = Array.from(bytes, (byte) => Uint8Array.of(byte));
      assertEquals(read(pieces, body({ headroom })), { items: messages, error: undefined });
    });
  }

  for (const version of VERSIONS) {
    it(`of SDK ${version} at random splits, on memory that is used again`, () => {
      const whole = callBody(version);
      const pool = new BufferPool();
      for (let seed = 1; seed <= 50; seed++) {
        const step = body({ pool, headroom: seed % 2 * 16 });
        const { items, error } = read(randomPieces(whole, seeded(seed)), step);
        assertEquals([error, items], [undefined, framesOf(whole)], `seed ${seed}`);
      }
    });
  }

  it("are views where they lie in one piece, without headroom", () => {
    const { items } = body().push(bytes);
    assert(items.every(({ buffer }) => buffer === bytes.buffer));
  });

  it("have room before each that is nobody else's, with headroom, and leave the input alone", () => {
    const input = bytes.slice();
    for (const cut of [0, 4, 20, 100]) {
      const step = body({ headroom: 16 });
      const items = [step.push(input.subarray(0, cut)), step.push(input.subarray(cut))]
        .flatMap(({ items }) => items);
      for (const { buffer, byteOffset } of items) {
        new Uint8Array(buffer, byteOffset - 16, 16).fill(0xee);
      }
      assertEquals(items.map((item) => item.slice()), messages);
      assertEquals(input, bytes);
    }
  });

  it("may be read where they belong", () => {
    const large = pattern(900_000);
    const small = pattern(100);
    const all = concat(frame(large), frame(small), frame(large));
    const pool = new BufferPool();
    for (const headroom of [0, 16]) {
      for (const inSlabs of [false, true]) {
        const step = body({ headroom, pool, inSlabs });
        const items: Uint8Array[] = [];
        let inPlace = 0;
        for (let at = 0; at < all.length;) {
          const most = Math.min(300_000, all.length - at);
          const room = step.readInto(most);
          const length = Math.min(room?.length ?? 50_000, most);
          const into = room?.subarray(0, length) ?? new Uint8Array(length);
          into.set(all.subarray(at, at + length));
          if (room !== undefined) inPlace += length;
          items.push(...step.push(into).items.map((item) => item.slice()));
          step.releaseTaken();
          at += length;
        }
        assertEquals(items, [large, small, large]);
        assert(inPlace > 1_500_000, `${inPlace}`);
      }
    }
    const used = [FIRST_PIECES.bytesInUse, PIECES.bytesInUse];
    assertEquals(used, [0, 0]);
  });

  it("give no more room than bytes are sure to come, and none that is not worth a read", () => {
    const step = body();
    step.push(concat(frameHead(500_000), pattern(10)));
    assertEquals(step.readInto(40_000)?.length, 40_000);
    assertEquals(step.readInto(1000), undefined);
    assertEquals(body().readInto(MAX), undefined);
  });
});

describe("hostile gRPC bodies", () => {
  it("are refused before memory is taken for what they declare", () => {
    const step = body();
    const { items, error } = step.push(concat(frame(pattern(3)), frameHead(MAX + 1), pattern(9)));
    assertEquals(items, [pattern(3)]);
    assertInstanceOf(error, MessageTooLarge);
    assertEquals([error.declaredBytes, error.limitBytes], [MAX + 1, MAX]);
    assertEquals(step.unfinishedBytes, 0);
    assertEquals(step.push(frame(pattern(3))), { items: [] });
    assertEquals(step.finish(), { items: [] });
  });

  it("may declare up to 4 GiB in vain", () => {
    for (const declared of [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
      const { error } = body().push(frameHead(declared));
      assertInstanceOf(error, MessageTooLarge);
      assertEquals(error.declaredBytes, declared);
    }
  });

  it("cost what came, not what they declare", () => {
    const step = new GrpcBody({ maxMessageBytes: 2 ** 32, headroom: 16, inSlabs: true });
    step.push(frameHead(2 ** 32 - 1));
    assertEquals(step.unfinishedBytes, 0);
    step.push(pattern(1));
    assert(step.unfinishedBytes <= 64 * 1024, `${step.unfinishedBytes}`);
    step.push(pattern(1_000_000));
    assert(step.unfinishedBytes < 1_300_000, `${step.unfinishedBytes}`);
    assertEquals(step.partialBytes, 5 + 1_000_001);
    step.clear();
    assertEquals(step.unfinishedBytes, 0);
    assertEquals(PIECES.bytesInUse + FIRST_PIECES.bytesInUse, 0);
    assertEquals([step.readInto(MAX), step.push(pattern(9))], [undefined, { items: [] }]);
  });

  it("may not be compressed if nothing says how, nor have flags that nobody knows", () => {
    const bad = [[1, 13, "no grpc-encoding"], [2, 12, "flag 2"], [0x80, 12, "flag 128"]] as const;
    for (const [flag, status, text] of bad) {
      const { items, error } = body().push(concat(frame(pattern(3)), frame(pattern(3), flag)));
      assertEquals(items, [pattern(3)]);
      assertInstanceOf(error, GrpcError);
      assertEquals(error.status, status);
      assert(error.message.includes(`${text}`), error.message);
    }
  });

  it("stop at one that is compressed, wherever they are cut", () => {
    const bytes = concat(frame(pattern(3)), frame(pattern(40), 1), frame(pattern(9)));
    for (const headroom of [0, 16]) {
      for (let cut = 0; cut < bytes.length; cut++) {
        const step = body({ headroom, encoding: "gzip" });
        const plain: Uint8Array[] = [];
        const packed: Uint8Array[] = [];
        const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
        for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
          const { items, error, compressed, rest } = step.push(piece);
          assertEquals(error, undefined);
          plain.push(...items.map((item) => item.slice()));
          if (compressed !== undefined) packed.push(compressed.slice());
          if (rest !== undefined) pieces.unshift(rest.slice());
        }
        assertEquals([plain, packed], [[pattern(3), pattern(9)], [pattern(40)]]);
      }
    }
  });

  it("say where they were cut", () => {
    const bytes = frame(pattern(100));
    for (let cut = 0; cut <= bytes.length; cut++) {
      const step = body({ headroom: 16 });
      step.push(bytes.subarray(0, cut));
      const { error } = step.finish();
      if (cut === 0 || cut === bytes.length) {
        assertEquals([error, step.partialBytes], [undefined, 0]);
        continue;
      }
      assertInstanceOf(error, CallCut);
      assertEquals([error.status, error.receivedBytes, error.isInMessage], [13, cut, true]);
      assertEquals(error.expectedBytes, cut < 5 ? undefined : 105);
    }
  });

  it("make no more than one message of each 5 bytes", () => {
    const { items } = body({ headroom: 16 }).push(new Uint8Array(50_000));
    assertEquals(items.length, 10_000);
    assert(items[0]!.buffer.byteLength <= 16 * 10_000);
  });
});
