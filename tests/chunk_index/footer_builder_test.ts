import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { fixture } from "../fixtures.ts";
import { described, footerOf, withFooter } from "./footers.ts";

describe("a footer of ours", () => {
  for (
    const name of ["0.41.0-mixed.readback", "0.41.0-three-stores.merged-by-rerun"]
  ) {
    it(`says what Rerun's own says, with the same hash: ${name}`, async () => {
      const file = fixture(`grpc/${name}.rrd`);
      const [ours, theirs] = [described(footerOf(await withFooter(file))), described(footerOf(file))];
      const key = (manifest: unknown) => JSON.stringify((manifest as { storeId: unknown }).storeId);
      const sorted = (list: unknown[]) => list.toSorted((a, b) => key(a) < key(b) ? -1 : 1);
      assertEquals(sorted(ours), sorted(theirs));
    });
  }
});
