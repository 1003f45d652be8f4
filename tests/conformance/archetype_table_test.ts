import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { ARCHETYPES } from "../../lib/encoding/names/archetypes.ts";
import { toldOf } from "./archetype_table.ts";

/** Whether Rerun of a version defines an archetype: whether it has a field there. */
function isDefined(archetype: string, minor: number): boolean {
  const [, ...fields] = ARCHETYPES.find((line) => line.split(" ")[0] === archetype)!.split(" ");
  return fields.some((field) => {
    const [, from = "", upTo = ""] = /@(\d*)-(\d*)$/.exec(field) ?? [];
    return minor >= Number(from || 17) && minor <= Number(upTo || 22);
  });
}

describe("the table of archetypes in docs/old-sdks.md", () => {
  for (const minor of [17, 18, 19, 20, 21, 22]) {
    it(`has those that SDK 0.${minor} has, shown or readable`, async () => {
      const told = await toldOf(minor);
      assert(told.size > 30);
      for (const [archetype, word] of told) {
        const words = isDefined(archetype, minor) ? ["shown", "readable"] : ["–"];
        assert(words.includes(word), `${archetype} of 0.${minor} is ${word}, none of ${words}`);
      }
    });
  }

  it("has nothing of SDK 0.16 bridged", async () => {
    assertEquals(new Set((await toldOf(16)).values()), new Set(["not bridged", "–"]));
  });
});
