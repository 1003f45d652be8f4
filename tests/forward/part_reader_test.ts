import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { memoryFiles } from "../../lib/adapters/files/memory_files.ts";
import { BEGINNING } from "../../lib/forward/cursor.ts";
import { PartReader, type ReadMessage } from "../../lib/forward/part_reader.ts";
import type { FileFollower, FollowedFiles } from "../../lib/sinks/file/parts/follower.ts";
import type { JournaledFile } from "../../lib/sinks/file/parts/part_journal.ts";
import { rrdFileSink } from "../../lib/sinks/file/rrd_file.ts";
import { announcement, chunk, received, told } from "./chunks.ts";

const never = new AbortController().signal;

/** Of a file with these messages, those of every third number long. */
async function openReader(count: number) {
  const files = memoryFiles();
  const found: { files?: FollowedFiles; file?: JournaledFile } = {};
  const follower: FileFollower = {
    name: "test",
    open(opened) {
      found.files = opened;
      opened.journal.join({ changed: (file) => found.file = file });
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
  const sink = await rrdFileSink({ path: "{part}.rrd", files, followers: [follower] });
  await sink.write([received(announcement("a"))]);
  for (let i = 0; i < count; i++) await sink.write([received(chunk("a", i, i % 3 === 2))]);
  await sink.close();
  return new PartReader(found.file!, BEGINNING, found.files!);
}

describe("PartReader", () => {
  it("keeps nothing when it is closed, and goes on where it was", async () => {
    const reader = await openReader(20);
    const all: ReadMessage[] = [];
    for (let messages = await reader.next(1, never); messages.length > 0;) {
      all.push(...messages);
      await reader.close();
      assertEquals(reader.heldBytes, 0);
      messages = await reader.next(1, never);
    }
    assertEquals(all.map(({ number }) => number), Array.from({ length: 21 }, (_, i) => i));
    const texts = all.map(({ msg }) => told(msg));
    assertEquals(texts.slice(1), Array.from({ length: 20 }, (_, i) => `a ${i}`));
    assert(reader.isAtEnd);
  });
});
