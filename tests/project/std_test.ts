/** What the project takes from @std, as the stand-ins give it where JSR is out of reach. */
import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import { parseArgs } from "@std/cli";
import { decodeBase64, encodeBase64 } from "@std/encoding";
import { concatReadableStreams, toArrayBuffer } from "@std/streams";
import { closestString, levenshteinDistance } from "@std/text";
import { RrdDecodeStream } from "../../mod.ts";
import { fixture } from "../fixtures.ts";

const FILES = ["msgpack-off", "msgpack-lz4", "protobuf-off", "protobuf-lz4"]
  .map((encoding) => fixture(`encodings/0.22.1-mixed-${encoding}.rrd`));

function stream(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array> {
  return new Blob([bytes]).stream();
}

async function countMessages(bytes: ReadableStream<Uint8Array>): Promise<number> {
  let messages = 0;
  for await (const batch of bytes.pipeThrough(new RrdDecodeStream())) messages += batch.length;
  return messages;
}

describe("@std/streams", () => {
  it("makes one stream of several .rrd files, which is decoded as one", async () => {
    let sum = 0;
    for (const file of FILES) sum += await countMessages(stream(file));
    assertEquals(await countMessages(concatReadableStreams(...FILES.map(stream))), sum);
  });

  it("gathers a stream's bytes", async () => {
    const [file] = FILES;
    assertEquals(new Uint8Array(await toArrayBuffer(stream(file!))), file);
  });
});

describe("@std/bytes", () => {
  it("puts pieces together, and copies each", () => {
    const piece = Uint8Array.of(1, 2);
    const whole = concat([piece, new Uint8Array(0), Uint8Array.of(3)]);
    piece[0] = 9;
    assertEquals(whole, Uint8Array.of(1, 2, 3));
  });
});

describe("@std/cli", () => {
  it("parses arguments, and tells of those it does not know", () => {
    const unknown: string[] = [];
    const args = parseArgs(["--save", "a.rrd", "--quiet", "--nosuch"], {
      boolean: ["quiet"],
      string: ["save"],
      unknown: (arg) => {
        unknown.push(arg);
        return false;
      },
    });
    assertEquals(args, { _: [], quiet: true, save: "a.rrd" });
    assertEquals(unknown, ["--nosuch"]);
  });
});

describe("@std/encoding", () => {
  it("writes bytes as base64 and reads them again", () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    assertEquals(encodeBase64(bytes.subarray(250)), "+vv8/f7/");
    assertEquals(decodeBase64(encodeBase64(bytes)), bytes);
    assertThrows(() => decodeBase64("a b"), Error);
  });
});

describe("@std/text", () => {
  it("finds the nearest word by the distance it is given", () => {
    assertEquals(levenshteinDistance("kitten", "sitting"), 3);
    assertEquals(closestString("hep", ["length", "help"]), "help");
    const compareFn = (a: string, b: string) => a.length - b.length;
    assertEquals(closestString("x", ["a", "abc"], { caseSensitive: true, compareFn }), "abc");
  });
});

describe("@std/assert", () => {
  it("tells unequal values apart by what is in them", () => {
    assertEquals({ a: [1n, Uint8Array.of(1)] }, { a: [1n, Uint8Array.of(1)] });
    assertThrows(() => assertEquals({ a: Uint8Array.of(1) }, { a: Uint8Array.of(2) }), Error);
  });
});
