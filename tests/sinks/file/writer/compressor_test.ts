import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { memoryFiles } from "../../../../lib/adapters/files/memory_files.ts";
import { startCompressor } from "../../../../lib/sinks/file/writer/compressor.ts";
import { compressMessages } from "../../../../lib/encoding/rrd/recompress.ts";
import { rrdFileSink } from "../../../../lib/sinks/file/rrd_file.ts";
import { capturePackets, fixture } from "../../../fixtures.ts";
import { bytesOf, captureMessages, concat } from "../../messages.ts";

const NAME = "0.22.1-mixed";
const MESSAGES = concat(...captureMessages(NAME).map(bytesOf));
const COMPRESSED = fixture(`encodings/${NAME}-msgpack-lz4.rrd`).slice(12, -8);

/** A worker that the test speaks for. */
function fakeWorker() {
  const asked: unknown[] = [];
  const worker = {
    onmessage: (_: { data: unknown }) => {},
    onerror: (_: { preventDefault(): void }) => {},
    postMessage: (message: unknown) => void asked.push(message),
    terminate: () => void asked.push("end"),
  };
  return { asked, worker, compressor: startCompressor(() => worker as unknown as Worker) };
}

describe("compressMessages", () => {
  it("gives what Rerun writes", () => {
    assertEquals(compressMessages(MESSAGES), COMPRESSED);
  });
});

describe("startCompressor", () => {
  it("gives the same in a worker, and ends it", async () => {
    const compressor = startCompressor();
    try {
      // In line at first, then by the worker.
      const end = performance.now() + 200;
      do {
        assertEquals(await compressor.compress(MESSAGES), COMPRESSED);
        await new Promise((resolve) => setTimeout(resolve, 10));
      } while (performance.now() < end);
      const many = await Promise.all([1, 2, 3].map(() => compressor.compress(MESSAGES)));
      assertEquals(many, [COMPRESSED, COMPRESSED, COMPRESSED]);
    } finally {
      compressor.close();
    }
  });

  it("waits for no worker that has not started, nor for one that can't be made", async () => {
    const { compressor, asked } = fakeWorker();
    assertEquals(await compressor.compress(MESSAGES), COMPRESSED);
    assertEquals(asked, []);
    const none = startCompressor(() => {
      throw new Error("no workers here");
    });
    assertEquals(await none.compress(MESSAGES), COMPRESSED);
    none.close();
  });

  it("loses nothing when the worker fails or ends", async () => {
    for (const end of ["error", "answer", "close"]) {
      const { compressor, worker, asked } = fakeWorker();
      worker.onmessage({ data: "ready" });
      const answer = compressor.compress(MESSAGES);
      assertEquals(asked.length, 1);
      if (end === "error") worker.onerror({ preventDefault: () => {} });
      if (end === "answer") worker.onmessage({ data: { error: "out of memory" } });
      if (end === "close") compressor.close();
      assertEquals(await answer, COMPRESSED);
    }
  });
});

describe("rrdFileSink that compresses", () => {
  it("writes the very file that Rerun does", async () => {
    const files = memoryFiles();
    const sink = await rrdFileSink({ path: "a.rrd", files, compress: "lz4" });
    await sink.write(captureMessages(NAME));
    await sink.close();
    assertEquals(files.read("a.rrd"), fixture(`encodings/${NAME}-msgpack-lz4.rrd`));
    const bytes = capturePackets(NAME).reduce((sum, packet) => sum + packet.length - 12, 0);
    assertEquals(sink.kept, { messages: 34, bytes });
  });
});
