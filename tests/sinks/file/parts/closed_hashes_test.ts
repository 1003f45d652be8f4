import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { memoryFiles } from "../../../../lib/adapters/files/memory_files.ts";
import { xxh32 } from "../../../../lib/encoding/rrd/xxh32.ts";
import { FileHash } from "../../../../lib/sinks/file/parts/_file_hash.ts";
import { ClosedHash, ClosedHashes } from "../../../../lib/sinks/file/parts/closed_hashes.ts";
import { rrdFileSink } from "../../../../lib/sinks/file/rrd_file.ts";
import { randomBytes } from "../../../contract/streams.ts";
import { seeded } from "../../../random.ts";
import { CAPTURE, change } from "../../leftovers.ts";

const ZEROS = new Array<number>(8).fill(0);
const END_OF_STREAM = [255, 255, 255, 255, 0, 0, 0, 0];

describe("FileHash", () => {
  it("is xxHash32, however the bytes come", () => {
    const random = seeded(1);
    const bytes = randomBytes(300, random);
    for (let length = 0; length <= bytes.length; length++) {
      const hash = new FileHash();
      for (let at = 0; at < length;) {
        const next = Math.min(length, at + 1 + Math.floor(random() * 40));
        hash.update(bytes.subarray(at, next));
        at = next;
      }
      const expected = xxh32(bytes.subarray(0, length), 0).toString(16).padStart(8, "0");
      assertEquals(hash.text, `xxh32:${expected}`);
    }
  });
});

describe("ClosedHashes", () => {
  it("tell of each file that was closed whether it changed since", async () => {
    for (const pattern of ["a.rrd", "d/{recording_id}.rrd"]) {
      const files = memoryFiles();
      const sink = await rrdFileSink({ path: pattern, files, compress: "lz4" });
      await sink.write(CAPTURE);
      await sink.close();
      const { path } = sink.saved[0]!;
      const look = async () => {
        const check = await new ClosedHashes(files).of(path);
        for await (const bytes of await files.open(path)) check?.add(bytes);
        return check === undefined ? "not known" : check.finish();
      };
      assertEquals(await look(), undefined);
      await change(files, path, (bytes) => bytes.with(5000, bytes[5000]! ^ 1));
      assert((await look())?.startsWith("its hash is"));
      await change(files, path, (bytes) => bytes.subarray(1));
      assert((await look())?.startsWith("it has"));
      assertEquals(await new ClosedHashes(files).of("d/other.rrd"), undefined);
    }
  });

  it("know a list behind a last message whose bytes look like the header of one", () => {
    // Padding, and the end of an Arrow stream.
    const noted = new Uint8Array([...randomBytes(84, seeded(1)), ...ZEROS, ...END_OF_STREAM]);
    const hash = new FileHash();
    hash.update(noted);
    const line = { bytes: noted.length, hash: hash.text } as never;
    const look = (behind: readonly number[]) => {
      const check = new ClosedHash(line);
      check.add(new Uint8Array([...noted, ...behind]));
      return check.finish();
    };
    assertEquals(look([]), undefined);
    assertEquals(look([...ZEROS, ...ZEROS]), undefined);
    assertEquals(
      look([...ZEROS, 40, 0, 0, 0, 0, 0, 0, 0, ...randomBytes(72, seeded(2))]),
      undefined,
    );
    assert(look([...ZEROS, 40])?.startsWith("its hash is"));
    assert(look([1, ...ZEROS, ...ZEROS])?.startsWith("its hash is"));
  });
});
