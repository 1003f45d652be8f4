/** Many recordings whose files would have equal names: they are told apart by their numbers. */
import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { memoryFiles } from "../../../lib/adapters/files/memory_files.ts";
import { rrdFileSink } from "../../../lib/sinks/file/rrd_file.ts";
import { announcement, chunk, received } from "../../forward/chunks.ts";
import { fewFiles, unparked } from "../few_files.ts";
import { keptLog } from "../messages.ts";

/** More than the names that are tried one after the other. */
const RECORDINGS = 1200;

/** What no file system takes, and what stands in names as `_`. */
const SIGNS = "/:*?<>|";
const idOf = (n: number) =>
  [...n.toString(SIGNS.length).padStart(5, "0")].map((d) => SIGNS[+d]).join("");

for (const path of ["{recording_id}-{part}.rrd", "{recording_id}-{date}.rrd"]) {
  describe(`recordings in ${path}`, () => {
    it("lose nothing, however many have equal names, and also when they begin their next file", async () => {
      const [files, log] = [unparked(memoryFiles()), keptLog()];
      const sink = await rrdFileSink({
        ...{ path, files, log, processes: fewFiles(256) },
        // Nothing is tried again after a failure.
        ...{ now: () => 0, date: () => 0 },
      });
      const ids = Array.from({ length: RECORDINGS }, (_, i) => idOf(i));
      for (const id of ids) await sink.write([received(announcement(id)), received(chunk(id, 0))]);
      // The file of the first one was closed meanwhile: its next one comes after all others.
      await sink.write([received(chunk(idOf(0), 1))]);
      await sink.close();
      assertEquals(files.paths.filter((path) => path.endsWith(".rrd")).length, RECORDINGS + 1);
      assertEquals(sink.lost, { messages: 0, bytes: 0 });
      assertEquals(log.of("warn"), []);
      assertEquals(log.of("error"), []);
    });
  });
}
