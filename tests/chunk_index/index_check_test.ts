import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { InvalidMessage, RerelayError } from "../../lib/base/errors.ts";
import { IndexCheck } from "../../lib/chunk_index/index_check.ts";
import { listedChunks, readFooter } from "../../lib/chunk_index/stored_footer.ts";
import { concat } from "../encoding/rrd_builder.ts";
import { fixture } from "../fixtures.ts";
import { seeded } from "../random.ts";
import { scan } from "../recordings/inputs.ts";
import { footerOf } from "./footers.ts";
import { cases } from "../counts.ts";

/** Random cases that are tried. */
const ROUNDS = cases(3000, 600);

const FILE = fixture("grpc/0.41.0-mixed.readback.rrd");

describe("a footer of Rerun's", () => {
  it("lists the chunks of its file", () => {
    const [manifest] = readFooter(footerOf(FILE));
    assertEquals(manifest!.storeId.id, "rec-grpc");
    const { parts } = scan([FILE]);
    const chunks = parts.flatMap((part) =>
      part.kind === "message" && part.msg.kind === "ArrowMsg"
        ? [{ id: part.msg.chunkId!.toString().toLowerCase(), offset: part.offset + 16 }]
        : []
    );
    const listed = [...listedChunks(manifest!)].map(({ id, offset }) => ({ id, offset }));
    assertEquals(listed, chunks);
    const check = new IndexCheck();
    for (const part of parts) check.add(part);
    assertEquals(check.tally, { chunks: 5, stores: 1, bytes: footerOf(FILE).length });
  });

  it("is damaged, and nothing worse, whatever is changed in it", () => {
    const random = seeded(11);
    const whole = footerOf(FILE);
    let refusals = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = whole.slice();
      for (let flips = 1 + Math.floor(random() * 3); flips > 0; flips--) {
        bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
      }
      try {
        for (const manifest of readFooter(bytes)) [...listedChunks(manifest)];
      } catch (error) {
        assertInstanceOf(error, RerelayError, String((error as Error).stack));
        refusals++;
      }
    }
    assert(refusals > ROUNDS / 10, `${refusals}`);
  });

  it("may not say that a few bytes are gigabytes", () => {
    // A manifest whose table is one byte, said to inflate to 2 GiB.
    const table = Uint8Array.of(8, 1, 18, 1, 0, 24, 2, 32, 128, 128, 128, 128, 8);
    const manifest = concat(Uint8Array.of(34, table.length), table);
    const footer = concat(Uint8Array.of(10, manifest.length), manifest);
    assertThrows(() => readFooter(footer), InvalidMessage, "2147483648 bytes");
  });
});
