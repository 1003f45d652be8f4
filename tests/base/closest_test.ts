import { it } from "node:test";
import { assertEquals } from "@std/assert";
import { closest } from "../../lib/base/closest.ts";

it("finds the word that was meant, and none where it is another", () => {
  const words = ["port", "save", "max-packet", "max-per-address", "quiet", "help"];
  const meant = [
    ["prot", "port"], // two swapped
    ["por", "port"],
    ["sav", "save"],
    ["svae", "save"],
    ["max-packte", "max-packet"],
    ["max-pakcet", "max-packet"],
    ["max-packets", "max-packet"],
    ["maxpacket", "max-packet"],
    ["max-per", "max-per-address"], // cut
    ["quite", "quiet"],
    ["helpme", "help"],
    ["save", "save"],
  ];
  for (const [word, known] of meant) assertEquals(closest(word!, words), known, word);
  for (const word of ["", "x", "po", "prto1", "nothing", "é", "q".repeat(100_000)]) {
    assertEquals(closest(word, words), undefined, word.slice(0, 20));
  }
  assertEquals(closest("port", []), undefined);
});
