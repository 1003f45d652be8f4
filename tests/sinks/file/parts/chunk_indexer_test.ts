import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { memoryFiles } from "../../../../lib/adapters/files/memory_files.ts";
import { chunkIndexer, type Indexed } from "../../../../lib/sinks/file/parts/chunk_indexer.ts";
import { abortListenersLeft } from "../../../abort_listeners.ts";
import { chunkMessage, fileOf } from "../../../chunk_index/chunks.ts";

const values = Array.from({ length: 50_000 }, (_, i) => i);
const LARGE = fileOf(chunkMessage({ components: { "A:x": [values] } }));
const SMALL = fileOf(chunkMessage());

/** A worker that does what a test says. */
function fakeWorker() {
  const asked: string[] = [];
  let ended = 0;
  const worker = {
    postMessage: (path: string) => void asked.push(path),
    terminate: () => void ended++,
  } as unknown as Worker;
  return { worker, asked, ended: () => ended };
}

async function folder() {
  const files = memoryFiles();
  await (await files.create("large.rrd", "new")).write(LARGE);
  await (await files.create("small.rrd", "new")).write(SMALL);
  return files;
}

/** What a promise gives once nothing else is to be done. */
async function settled(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

describe("chunkIndexer", () => {
  it("asks a worker for large files, one at a time, and does small ones itself", async () => {
    const { worker, asked } = fakeWorker();
    const indexer = chunkIndexer(await folder(), () => worker);
    const [first, second, small] = ["large.rrd", "large.rrd", "small.rrd"].map((path) =>
      indexer.index(path)
    );
    await settled();
    assertEquals(asked, ["large.rrd"]);
    const answer: Indexed = { kind: "none", why: "so", about: "chunks" };
    worker.onmessage!({ data: answer } as MessageEvent);
    assertEquals(await first, answer);
    await settled();
    assertEquals(asked, ["large.rrd", "large.rrd"]);
    worker.onmessage!({ data: answer } as MessageEvent);
    assertEquals(await second, answer);
    assertEquals((await small!).kind, "ok");
  });

  it("lets others take their turns while it is in this thread, so that it can be stopped", async () => {
    const files = memoryFiles();
    const messages = Array.from({ length: 400 }, (_, id) => chunkMessage({ id }));
    const bytes = fileOf(...messages);
    // One block, which is read at once.
    assertEquals(bytes.length > 200_000 && bytes.length < 1 << 20, true);
    await (await files.create("many.rrd", "new")).write(bytes);
    const indexer = chunkIndexer(files, undefined);
    const stopped = new Promise<void>((resolve) =>
      setTimeout(() => {
        indexer.stop();
        resolve();
      })
    );
    assertEquals((await indexer.index("many.rrd")).kind, "later");
    await stopped;
  });

  it("keeps nothing of the files that it has indexed", async () => {
    const { worker } = fakeWorker();
    worker.postMessage = () =>
      queueMicrotask(() =>
        worker.onmessage!({ data: { kind: "none", why: "so", about: "chunks" } } as MessageEvent)
      );
    const files = await folder();
    const left = await abortListenersLeft(async () => {
      const indexer = chunkIndexer(files, () => worker);
      for (let i = 0; i < 5; i++) {
        await indexer.index("large.rrd");
        await indexer.index("small.rrd");
      }
    });
    assertEquals(left, 0);
  });

  it("does all itself once its worker failed", async () => {
    const { worker, ended } = fakeWorker();
    const indexer = chunkIndexer(await folder(), () => worker);
    const indexing = indexer.index("large.rrd");
    await settled();
    worker.onerror!({ preventDefault() {}, message: "not allowed" } as unknown as ErrorEvent);
    assertEquals([(await indexing).kind, ended()], ["ok", 1]);
    assertEquals((await indexer.index("large.rrd")).kind, "ok");
  });

  it("lets no more than some wait, and nobody once it is stopped", async () => {
    const { worker, ended } = fakeWorker();
    const indexer = chunkIndexer(await folder(), () => worker);
    const waiting = Array.from({ length: 16 }, () => indexer.index("large.rrd"));
    const patient = indexer.index("small.rrd", { mayWait: true });
    assertEquals(await indexer.index("small.rrd"), { kind: "later" });
    await settled();
    indexer.stop();
    for (const indexed of [...waiting, patient, indexer.index("small.rrd")]) {
      assertEquals(await indexed, { kind: "later" });
    }
    assertEquals(ended(), 1);
  });

  it("starts no worker once it is stopped, which would keep the program from ending", async () => {
    const { promise: opening, resolve: open } = Promise.withResolvers<void>();
    const there = await folder();
    let started = 0;
    const files: typeof there = {
      ...there,
      openAt: (path) => opening.then(() => there.openAt(path)),
    };
    const indexer = chunkIndexer(files, () => {
      started++;
      return fakeWorker().worker;
    });
    const indexed = indexer.index("large.rrd");
    await settled();
    indexer.stop();
    open();
    await settled();
    assertEquals([await indexed, started], [{ kind: "later" }, 0]);
  });

  it("waits for no worker in a hurry, and ends what only its asker gives up", async () => {
    const { worker, asked, ended } = fakeWorker();
    const indexer = chunkIndexer(await folder(), () => worker);
    const giving = new AbortController();
    const slow = indexer.index("large.rrd", { mayWait: true, signal: giving.signal });
    await settled();
    assertEquals(asked.length, 1);
    indexer.hurry();
    assertEquals((await indexer.index("large.rrd")).kind, "ok");
    giving.abort();
    assertEquals([await slow, ended()], [{ kind: "later" }, 1]);
  });

  it("says why a file can't be read", async () => {
    const indexer = chunkIndexer(await folder(), undefined);
    const { kind } = await indexer.index("none.rrd");
    assertEquals(kind, "failed");
  });
});
