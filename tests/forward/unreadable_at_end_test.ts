import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { memoryFiles } from "../../lib/adapters/files/memory_files.ts";
import { FileUnreadable } from "../../lib/forward/_unreadable_now.ts";
import { forwardTo } from "../../lib/forward/forward_to.ts";
import type { ForwardTarget } from "../../lib/forward/target.ts";
import { rrdFileSink } from "../../lib/sinks/file/rrd_file.ts";
import { announcement, chunk, received } from "./chunks.ts";
import { fakeTarget } from "./fake_target.ts";

const PATH = "{recording_id}-{part}.rrd";

/** A disk with two recordings, of which one can't be read. */
async function disk() {
  let isLocked = false;
  const files = memoryFiles(({ kind, path }) => {
    if (!isLocked || kind !== "openAt" || !path.startsWith("a-0001.rrd")) return;
    throw Object.assign(new Error("permission denied"), { code: "EACCES" });
  });
  const sink = await rrdFileSink({ path: PATH, files });
  for (const id of ["a", "b"]) {
    await sink.write([received(announcement(id)), received(chunk(id, 0))]);
  }
  await sink.close();
  isLocked = true;
  return files;
}

/** Forwards until `isSent`, and ends without any clock going on: whatever waited for one would hang. */
async function sendAndEnd(target: ForwardTarget, isSent: () => boolean): Promise<void> {
  const files = await disk();
  const timer = (ms: number, action: () => void) => {
    // Only the gathering of batches goes on.
    const timeout = ms < 100 ? setTimeout(action, ms) : undefined;
    return () => clearTimeout(timeout);
  };
  const followers = [forwardTo(target, { random: () => 0 })];
  const sink = await rrdFileSink({ path: PATH, files, timer, followers });
  const end = performance.now() + 60_000;
  while (!isSent()) {
    if (performance.now() > end) throw new Error("it takes too long");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const guard = Promise.withResolvers<never>();
  const late = setTimeout(() => guard.reject(new Error("it waits for the file")), 10_000);
  await Promise.race([sink.close(), guard.promise]).finally(() => clearTimeout(late));
}

describe("a file that can't be read at the end of the program", () => {
  it("is not waited for where messages are sent", async () => {
    const target = fakeTarget();
    await sendAndEnd(target, () => target.taken.length === 1);
    assertEquals(target.taken, ["b 0"]);
  });

  it("is not waited for where files are uploaded", async () => {
    const sent: string[] = [];
    await sendAndEnd({
      kind: "files",
      name: "fake://files",
      maxUnderWay: 2,
      sendFile({ name }) {
        if (name.startsWith("a-")) return Promise.reject(new FileUnreadable("permission denied"));
        return Promise.resolve(void sent.push(name));
      },
      close: () => Promise.resolve(),
    }, () => sent.length === 1);
    assertEquals(sent, ["b-0001.rrd"]);
  });
});
