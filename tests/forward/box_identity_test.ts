import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { BOX_FILE, boxIdentity } from "../../lib/forward/box_identity.ts";
import { memoryFiles } from "../../lib/sinks/mod.ts";
import { keptLog } from "../sinks/messages.ts";

describe("boxIdentity", () => {
  it("is made once, beside the recordings", async () => {
    const files = memoryFiles();
    assertEquals(await boxIdentity("rec/", files, { newId: () => "one" }), "one");
    assertEquals(await boxIdentity("rec/", files, { newId: () => "two" }), "one");
    assertEquals(await boxIdentity("", files, { newId: () => "two" }), "two");
    assertEquals(files.paths.toSorted(), [BOX_FILE, `rec/${BOX_FILE}`]);
  });

  it("is one for all servers that are started at once in a folder", async () => {
    const files = memoryFiles();
    const ids = ["one", "two", "three"];
    const asked = ids.map((id) => boxIdentity("rec/", files, { newId: () => id }));
    const [first, ...others] = await Promise.all(asked);
    assertEquals(others, [first, first]);
    assertEquals(await boxIdentity("rec/", files), first);
    assertEquals(files.paths, [`rec/${BOX_FILE}`]);
  });

  it("is made where a program was killed that had begun it", async () => {
    const files = memoryFiles();
    await (await files.create(`${BOX_FILE}.new`, "new")).close();
    let looks = 0;
    const delay = () => Promise.resolve(void looks++);
    assertEquals(await boxIdentity("", files, { newId: () => "one", delay }), "one");
    assertEquals([looks > 0, files.paths], [true, [BOX_FILE]]);
  });

  it("is made where the names in a folder can't be synced, with a warning", async () => {
    const files = memoryFiles(({ kind }) => {
      if (kind === "syncFolder") throw new Error("EINVAL");
    });
    const log = keptLog();
    assertEquals(await boxIdentity("rec/", files, { newId: () => "one", log }), "one");
    assertEquals(log.of("warn"), ["New names in rec/ may not outlive a power cut: EINVAL"]);
  });

  it("is not made anew over a file that says something else", async () => {
    for (const text of ["", "{}", '{"box":"a b"}', "x".repeat(10_000)]) {
      const files = memoryFiles();
      const file = await files.create(BOX_FILE, "new");
      await file.write(new TextEncoder().encode(text));
      await file.close();
      const error = await assertRejects(() => boxIdentity("", files), Error);
      assertEquals(error.message.startsWith(BOX_FILE), true);
    }
  });
});
