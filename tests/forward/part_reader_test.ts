import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { type MemoryFiles, memoryFiles } from "../../lib/adapters/files/memory_files.ts";
import { BEGINNING } from "../../lib/forward/cursor.ts";
import { PartReader, type ReadMessage } from "../../lib/forward/part_reader.ts";
import type { FileFollower, FollowedFiles } from "../../lib/sinks/file/parts/follower.ts";
import type { JournaledFile } from "../../lib/sinks/file/parts/part_journal.ts";
import { rrdFileSink } from "../../lib/sinks/file/rrd_file.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { announcement, chunk, longChunk, received, told } from "./chunks.ts";

const never = new AbortController().signal;

/** Of a file with these messages, those of every third number long. */
function openReader(count: number, files = memoryFiles()) {
  return readerOf(files, Array.from({ length: count }, (_, i) => chunk("a", i, i % 3 === 2)));
}

/** Of a file with these messages behind the announcement of their recording. */
async function readerOf(files: MemoryFiles, messages: readonly LogMsg[]) {
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
  for (const msg of messages) await sink.write([received(msg)]);
  await sink.close();
  return new PartReader(found.file!, BEGINNING, found.files!);
}

/** Files that take note of the memory into which they are read. */
function watchedFiles() {
  const files = memoryFiles();
  const memory = new Set<ArrayBufferLike>();
  const openAt: typeof files.openAt = async (path) => {
    const file = await files.openAt(path);
    const readAt: typeof file.readAt = (at, into) => {
      memory.add(into.buffer);
      return file.readAt(at, into);
    };
    return { ...file, readAt };
  };
  return { files: { ...files, openAt }, memory };
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

  it("reads a long message into memory of its own length, in which it stays", async () => {
    const { files, memory } = watchedFiles();
    const lengths = [3_000_000, 1_000_000, 700_000, 1_000_000, 4_000_000, 20, 1_000_000];
    const messages = Array.from({ length: 28 }, (_, i) => longChunk("a", i, lengths[i % 7]!));
    const reader = await readerOf(files, messages);
    const all: ReadMessage[] = [];
    while (!reader.isAtEnd) all.push(...await reader.next(1, never));
    assertEquals(all.slice(1).map(({ msg }) => told(msg)), messages.map((msg) => told(msg)));
    for (const { msg } of all) memory.add(msg.encoded.bytes.buffer);
    const taken = [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0);
    const file = all.reduce((sum, { msg }) => sum + msg.encoded.bytes.length, 0);
    // A block is read before the length of the message in it is known.
    const blocks = all.length * 512 * 1024;
    assert(taken <= file + blocks, `${taken} bytes of memory for ${file} and ${blocks} in blocks`);
  });
});
