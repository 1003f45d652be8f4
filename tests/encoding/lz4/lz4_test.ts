import lz4 from "lz4js";
import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { leastMs } from "../../least_ms.ts";
import { inflateLz4, inflateLz4Front } from "../../../lib/encoding/lz4/lz4.ts";
import { compressLz4 } from "../../../lib/encoding/lz4/lz4_deflate.ts";
import { InvalidMessage } from "../../../lib/base/errors.ts";
import { concat } from "../rrd_builder.ts";
import { fixture } from "../../fixtures.ts";
import { seeded } from "../../random.ts";

/** Compresses with another program than ours; `undefined` where it finds nothing to compress. */
function deflate(bytes: Uint8Array): Uint8Array | undefined {
  const out = new Uint8Array(lz4.compressBound(bytes.length));
  const length = lz4.compressBlock(bytes, out, 0, bytes.length, new Uint32Array(1 << 16));
  return length > 0 ? out.subarray(0, length) : undefined;
}

/** Bytes that compress: runs and repeats among noise. */
function compressible(random: () => number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const run = Math.min(length - at, 1 + Math.floor(random() * 600));
    const kind = random();
    if (kind < 0.4) bytes.fill(random() * 256, at, at + run);
    else if (kind < 0.7 && at > 0) bytes.copyWithin(at, Math.floor(random() * at), at);
    else for (let i = 0; i < run; i++) bytes[at + i] = random() * 256;
    at += run;
  }
  return bytes;
}

describe("inflateLz4", () => {
  it("gives back what was compressed", () => {
    let compressed = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const random = seeded(seed);
      const bytes = compressible(random, Math.floor(random() * 100_000));
      const block = deflate(bytes);
      if (block === undefined) continue;
      compressed++;
      assertEquals(inflateLz4(block, bytes.length), bytes, `seed ${seed}`);
    }
    assert(compressed > 150, `${compressed} compressed`);
  });

  it("gives what lz4js does: long matches that reach into themselves, and long literals", () => {
    for (let seed = 1; seed <= 100; seed++) {
      const random = seeded(seed);
      const period = Uint8Array.from({ length: 1 + random() * 100 }, () => random() * 256);
      const bytes = Uint8Array.from(
        { length: 5000 },
        (_, i) => i < 1000 * random() ? random() * 256 : period[i % period.length]!,
      );
      const block = deflate(bytes) ?? compressLz4(bytes);
      const theirs = new Uint8Array(bytes.length);
      lz4.decompressBlock(block, theirs, 0, block.length, 0);
      assertEquals([inflateLz4(block, bytes.length), theirs], [bytes, bytes], `seed ${seed}`);
    }
  });

  it("refuses a wrong size, larger or smaller", () => {
    const bytes = compressible(seeded(7), 50_000);
    const block = deflate(bytes)!;
    for (const size of [0, 1, bytes.length - 1, bytes.length + 1, 2 ** 31]) {
      assertThrows(
        () => inflateLz4(block, size),
        InvalidMessage,
        "does not inflate to the declared",
      );
    }
  });

  it("gives InvalidMessage or the declared number of bytes for 20,000 damaged blocks", () => {
    const bytes = compressible(seeded(3), 3000);
    const good = deflate(bytes)!;
    let refused = 0;
    for (let seed = 1; seed <= 20_000; seed++) {
      const random = seeded(seed);
      const block = good.slice(0, random() < 0.3 ? 1 + random() * good.length : good.length);
      for (let n = 1 + random() * 3; n > 0; n--) {
        block[Math.floor(random() * block.length)] = random() * 256;
      }
      try {
        assertEquals(inflateLz4(block, bytes.length).length, bytes.length);
      } catch (error) {
        assertInstanceOf(error, InvalidMessage, `seed ${seed}`);
        refused++;
      }
    }
    assert(refused > 5000, `only ${refused} refused`);
  });

  it("takes time by the block's length, not by what it claims", () => {
    // 16 MiB that claim to hold 4 GiB: written out, they would take half a minute.
    const bomb = new Uint8Array(16 << 20).fill(0xff);
    const error = assertThrows(() => inflateLz4(bomb, 512 << 20), InvalidMessage);
    assertEquals(error.message, "A damaged LZ4 block of 16777216 bytes");
    const long = bomb.slice(0, 4 << 20);
    long[0] = 0x1f;
    long[1] = 0x00;
    long[2] = 0x01;
    long[3] = 0x00;
    long[long.length - 1] = 0;
    assertThrows(
      () => inflateLz4(long, 1 << 20),
      InvalidMessage,
      "does not inflate to the declared",
    );
  });
});

describe("inflateLz4Front", () => {
  it("gives the beginning of what the whole inflates to, of whatever length", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = seeded(seed);
      const bytes = compressible(random, 1 + Math.floor(random() * 6000));
      const block = deflate(bytes);
      if (block === undefined) continue;
      for (let n = 0; n < 40; n++) {
        const size = n === 0 ? 0 : n === 1 ? bytes.length : Math.floor(random() * bytes.length);
        assertEquals(inflateLz4Front(block, size), bytes.subarray(0, size), `seed ${seed}`);
      }
      assertEquals(inflateLz4Front(block, bytes.length + 100), bytes);
    }
  });

  it("gives of a beginning what it holds, wherever it ends: long literals and matches, too", () => {
    const noise = (random: () => number, length: number) =>
      Uint8Array.from({ length }, () => random() * 256);
    for (let seed = 1; seed <= 40; seed++) {
      const random = seeded(seed);
      const bytes = concat(
        compressible(random, Math.floor(random() * 3000)),
        noise(random, Math.floor(random() * 90_000)),
        new Uint8Array(Math.floor(random() * 90_000)),
        noise(random, 20),
      );
      const block = compressLz4(bytes);
      let before = 0;
      for (let end = 0; end < block.length; end += 1 + Math.floor(random() * 3000)) {
        const front = inflateLz4Front(block.subarray(0, end), bytes.length, block.length);
        assertEquals(front, bytes.subarray(0, front.length), `seed ${seed}, ${end} bytes`);
        assert(front.length >= before, `seed ${seed}: ${front.length} of ${end} bytes`);
        before = front.length;
        const size = Math.floor(front.length / 2);
        assertEquals(
          inflateLz4Front(block.subarray(0, end), size, block.length),
          bytes.subarray(0, size),
        );
      }
      const half = block.subarray(0, block.length - 10);
      assertThrows(() => inflateLz4Front(half, bytes.length), InvalidMessage);
    }
  });

  it("gives InvalidMessage or bytes for 20,000 damaged blocks", () => {
    const good = deflate(compressible(seeded(3), 3000))!;
    let refused = 0;
    for (let seed = 1; seed <= 20_000; seed++) {
      const random = seeded(seed);
      const block = good.slice(0, random() < 0.3 ? 1 + random() * good.length : good.length);
      for (let n = 1 + random() * 3; n > 0; n--) {
        block[Math.floor(random() * block.length)] = random() * 256;
      }
      const size = Math.floor(random() * 4000);
      try {
        assert(inflateLz4Front(block, size).length <= size);
      } catch (error) {
        assertInstanceOf(error, InvalidMessage, `seed ${seed}`);
        refused++;
      }
    }
    assert(refused > 3000, `only ${refused} refused`);
  });

  it("takes time by what is wanted", () => {
    const bomb = new Uint8Array(64 << 20).fill(0xff);
    bomb.set([0x1f, 0x00, 0x01, 0x00]);
    const dense = new Uint8Array(1 << 20).fill(0xff);
    dense.set([0x1f, 0x07, 0x01, 0x00]);
    dense[dense.length - 1] = 0;
    const ms = leastMs(() => {
      assertThrows(() => inflateLz4Front(bomb, 4096), InvalidMessage);
      assertEquals(inflateLz4Front(dense, 4096), new Uint8Array(4096).fill(7));
    }, 2000);
    assert(ms < 2000, `it took ${ms} ms`);
  });
});

describe("compressLz4", () => {
  it("gives the very bytes that Rerun wrote", () => {
    const [off, compressed] = ["off", "lz4"].map((how) =>
      messagesOf(fixture(`encodings/0.22.1-mixed-msgpack-${how}.rrd`))
    );
    assertEquals(off!.map(compressLz4), compressed);
  });

  it("gives what inflates again, short or long, and not much longer than it was", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = seeded(seed);
      const length = Math.floor(random() * (seed < 100 ? 40 : 200_000));
      const bytes = compressible(random, length);
      const block = compressLz4(bytes);
      assertEquals(inflateLz4(block, length), bytes, `seed ${seed}`);
      assert(block.length <= length + length / 255 + 16);
    }
    const noise = Uint8Array.from({ length: 100_000 }, seededByte(5));
    assert(compressLz4(noise).length <= 100_410);
    assert(compressLz4(new Uint8Array(100_000)).length < 500);
  });
});

function seededByte(seed: number): () => number {
  const random = seeded(seed);
  return () => random() * 256;
}

/** The payloads of a msgpack file. */
function messagesOf(rrd: Uint8Array<ArrayBuffer>): Uint8Array[] {
  const view = new DataView(rrd.buffer);
  const payloads: Uint8Array[] = [];
  for (let at = 12; view.getUint32(at, true) > 0; at += 8 + view.getUint32(at, true)) {
    payloads.push(rrd.slice(at + 8, at + 8 + view.getUint32(at, true)));
  }
  return payloads;
}
