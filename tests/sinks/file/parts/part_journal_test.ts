import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import type { FileLine } from "../../../../lib/sinks/file/parts/_index_line.ts";
import { type JournalReader, PartJournal } from "../../../../lib/sinks/file/parts/part_journal.ts";

const LINE: FileLine = {
  ...{ kind: "file", id: "one", name: "a-0001.rrd", state: "writing", bytes: 0 } as const,
  ...{ hasData: false, footer: "none", forwarded: 0 } as const,
};

describe("PartJournal", () => {
  it("says that a file is gone to who has not finished it, and that it was removed to who has", () => {
    const journal = new PartJournal();
    const told: string[] = [];
    const [quick, slow] = ["quick", "slow"].map((name): JournalReader => ({
      changed: ({ id }, event) => void told.push(`${name}: ${id} ${event}`),
      removed: (id) => void told.push(`${name}: ${id} removed`),
    }));
    journal.join(quick!);
    journal.join(slow!);
    journal.begun(LINE);
    journal.noted({ ...LINE, state: "closed" });
    journal.finished(quick!, "one");
    told.length = 0;
    journal.gone("one", LINE.name);
    assertEquals(told, ["slow: one gone", "quick: one removed"]);
  });
});
