import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { writeAll } from "../../../lib/adapters/files/_write_all.ts";

describe("writeAll", () => {
  it("goes on where the system stopped", async () => {
    const written: number[] = [];
    const takes = [2, 1, 4];
    await writeAll(Uint8Array.of(1, 2, 3, 4, 5, 6, 7), (rest) => {
      const length = takes.shift()!;
      written.push(...rest.subarray(0, length));
      return Promise.resolve(length);
    });
    assertEquals(written, [1, 2, 3, 4, 5, 6, 7]);
    assertEquals(takes, []);
  });

  it("does not try forever", async () => {
    const takes = [2, 0];
    await assertRejects(
      () => writeAll(new Uint8Array(5), () => Promise.resolve(takes.shift()!)),
      Error,
      "2 of 5 bytes written",
    );
  });
});
