import { describe, it } from "node:test";
import { setImmediate } from "node:timers";
import { assertEquals, assertRejects } from "@std/assert";
import { memoryFiles } from "../../../lib/adapters/files/memory_files.ts";
import { forwardTo } from "../../../lib/forward/forward_to.ts";
import { rrdFileSink } from "../../../lib/sinks/file/rrd_file.ts";
import { fakeTarget } from "../../forward/fake_target.ts";

/** Lets everything that can happen without outside help happen. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A disk that does not list its folder, and what it was asked for. */
function unlistedFiles() {
  const asked: string[] = [];
  const files = memoryFiles(({ kind, path }) => {
    asked.push(`${kind} ${path.replace(/-[0-9a-f]{8}\./, "-.")}`);
    if (kind === "list") throw new Error("the disk fails");
  });
  return { files, asked };
}

describe("rrdFileSink that can't be opened", () => {
  it("ends its followers, which write nothing after the lock is given back", async () => {
    const { files, asked } = unlistedFiles();
    const target = fakeTarget();
    let isClosed = false;
    target.close = () => Promise.resolve(void (isClosed = true));
    const followers = [forwardTo(target)];
    await assertRejects(
      () => rrdFileSink({ path: "{part}.rrd", files, followers }),
      Error,
      "the disk fails",
    );
    const before = [...asked];
    await settle();
    assertEquals(asked, before);
    assertEquals(isClosed, true);
    // It got another name once it was whole.
    const cursor = "{part}.rrd.forward-fake-target-.jsonl.new";
    assertEquals(asked.filter((each) => each.startsWith("close ")), [`close ${cursor}`]);
  });

  it("refuses two followers of one name, which would write one cursor", async () => {
    const followers = [forwardTo(fakeTarget()), forwardTo(fakeTarget())];
    await assertRejects(
      () => rrdFileSink({ path: "{part}.rrd", files: memoryFiles(), followers }),
      RangeError,
      "two followers are called fake://target",
    );
  });

  it("ends its thread, which would keep the program from ending", async () => {
    const { files } = unlistedFiles();
    const { Worker } = globalThis;
    let [started, ended] = [0, 0];
    globalThis.Worker = class {
      constructor() {
        started++;
      }
      terminate() {
        ended++;
      }
    } as never;
    try {
      await assertRejects(() => rrdFileSink({ path: "a.rrd", files, compress: "lz4" }), Error);
    } finally {
      globalThis.Worker = Worker;
    }
    assertEquals([started, ended], [1, 1]);
  });
});
