import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { RrdConcat } from "../../../lib/recordings/mod.ts";
import { concat } from "../rrd_builder.ts";
import { RECORDINGS, scan } from "../../recordings/inputs.ts";

describe("RrdConcat", () => {
  for (const [name, bytes] of RECORDINGS.slice(0, 4)) {
    it(`writes the messages of ${name} as the real encoder did, to the byte`, () => {
      const joined = new RrdConcat();
      const pieces: Uint8Array[] = [];
      for (const part of scan([bytes]).parts) {
        if (part.kind !== "message") continue;
        pieces.push(...joined.message(part.msg.encoded));
      }
      pieces.push(...joined.end());
      assertEquals(joined.headers, 1);
      assertEquals(concat(...pieces), bytes);
    });
  }
});
