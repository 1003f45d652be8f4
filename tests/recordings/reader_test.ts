import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { memoryFiles } from "../../lib/adapters/files/memory_files.ts";
import { openRrd, readRrd, RrdDamage } from "../../lib/recordings/mod.ts";
import { concat } from "../encoding/rrd_builder.ts";
import { describeMsg } from "../fixtures.ts";
import { RECORDINGS, scan } from "./inputs.ts";

const [, BYTES] = RECORDINGS[0]!;
const MESSAGES = scan([BYTES]).parts.filter((part) => part.kind === "message");

/** A source that counts how often it was read, and tells when it was cancelled. */
function source(pieces: Uint8Array[]) {
  const seen = { reads: 0, cancelled: false };
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = pieces[seen.reads++];
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
    cancel: () => void (seen.cancelled = true),
  }, { highWaterMark: 0 });
  return { seen, stream };
}

function inPieces(bytes: Uint8Array, size: number): Uint8Array[] {
  const count = Math.ceil(bytes.length / size);
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

describe("readRrd", () => {
  it("gives all messages with their places, and reads on only when asked", async () => {
    const { seen, stream } = source(inPieces(BYTES, 1000));
    const { messages, report } = readRrd(stream);
    const reader = messages.getReader();
    await reader.read();
    assertEquals([seen.reads, report.messages], [1, 1]);
    reader.releaseLock();
    const rest = await Array.fromAsync(messages);
    assertEquals(
      rest.map(({ offset, bytes, msg }) => [offset, bytes, describeMsg(msg)]),
      MESSAGES.slice(1).map(({ offset, bytes, msg }) => [offset, bytes, describeMsg(msg)]),
    );
    assertEquals([report.messages, report.bytes], [MESSAGES.length, BYTES.length]);
    assertEquals([report.endMarkers, report.losses], [1, 0]);
  });

  it("errors at the first damage, behind the messages before it", async () => {
    const hit = MESSAGES[10]!;
    const damaged = BYTES.slice();
    damaged.fill(0xff, hit.offset, hit.offset + 20);
    const { seen, stream } = source(inPieces(damaged, 50_000));
    const { messages } = readRrd(stream);
    const reader = messages.getReader();
    for (const { offset } of MESSAGES.slice(0, 10)) {
      assertEquals((await reader.read()).value?.offset, offset);
    }
    const error = await assertRejects(() => reader.read(), RrdDamage);
    assertEquals([error.offset, seen.cancelled], [hit.offset, true]);
  });

  it("reads over damage if asked to, and reports it", async () => {
    const hit = MESSAGES[10]!;
    const damaged = BYTES.slice();
    damaged.fill(0xff, hit.offset, hit.offset + 20);
    const { messages, report } = readRrd(source([damaged]).stream, { recover: true });
    assertEquals((await Array.fromAsync(messages)).length, MESSAGES.length - 1);
    assertEquals([report.losses, report.lostBytes], [1, hit.bytes]);
    const [{ offset, bytes }] = report.listed as [typeof report.listed[0]];
    assertEquals([offset, bytes], [hit.offset, hit.bytes]);
  });

  it("lets go of its source when it is cancelled", async () => {
    const { seen, stream } = source(inPieces(BYTES, 1000));
    for await (const { msg } of readRrd(stream).messages) {
      assertEquals(msg.kind, "SetStoreInfo");
      break;
    }
    assert(seen.cancelled);
  });
});

describe("openRrd", () => {
  it("reads a file of any adapter, several recordings in a row too", async () => {
    const adapter = memoryFiles();
    const file = await adapter.create("two.rrd", "new");
    await file.write(concat(BYTES, BYTES));
    await file.close();
    const { messages } = await openRrd("two.rrd", { adapter });
    assertEquals((await Array.fromAsync(messages)).length, 2 * MESSAGES.length);
  });
});
