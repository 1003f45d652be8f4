import { it } from "node:test";
import { assertEquals } from "@std/assert";
import { addTo, newTally, sumOf } from "../../lib/base/tally.ts";

it("counts messages and bytes up and down, and two together", () => {
  const total = newTally();
  addTo(total, { messages: 2, bytes: 300 });
  addTo(total, { messages: 1, bytes: 50 });
  addTo(total, { messages: 1, bytes: 300 }, -1);
  assertEquals(total, { messages: 2, bytes: 50 });
  assertEquals(sumOf(total, { messages: 1, bytes: 5 }), { messages: 3, bytes: 55 });
  assertEquals([total, newTally()], [{ messages: 2, bytes: 50 }, { messages: 0, bytes: 0 }]);
});
