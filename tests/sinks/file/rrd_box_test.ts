import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import type { MessageSource } from "../../../mod.ts";
import { memoryFiles, rrdFileSink } from "../../../lib/sinks/mod.ts";
import { capturedMessages } from "../../forward/batches.ts";

describe("{box} in the name of files", () => {
  const msgs = capturedMessages("0.22.1-mixed");
  const from = (source: MessageSource, some = msgs) =>
    some.map((msg) => ({ source, payload: { type: "msg", msg } as const, time: 0 }));
  const boxes: MessageSource[] = [
    { kind: "nats-box", id: 1, box: "box-7" },
    { kind: "nats-box", id: 2, box: "../box" },
    { kind: "tcp-client", id: 3 },
  ];

  it("gives each box files of its own, though their recordings have one id", async () => {
    const files = memoryFiles();
    const sink = await rrdFileSink({ path: "{box}-{recording_id}-{part}.rrd", files });
    for (const one of msgs) for (const box of boxes) await sink.write(from(box, [one]));
    await sink.close();
    assertEquals(
      sink.saved.map(({ path, messages }) => [path, messages]).sort(),
      ["__box-rec-mixed-0001.rrd", "box-7-rec-mixed-0001.rrd", "sdk-rec-mixed-0001.rrd"]
        .map((path) => [path, msgs.length]),
    );
  });

  it("may stand alone, and its numbers go on at the next start", async () => {
    const files = memoryFiles();
    for (let start = 0; start < 2; start++) {
      const sink = await rrdFileSink({ path: "{box}-{part}.rrd", files });
      for (const box of boxes) await sink.write(from(box));
      await sink.close();
    }
    const names = ["__box", "box-7", "sdk"].flatMap((
      box,
    ) => [`${box}-0001.rrd`, `${box}-0002.rrd`]);
    assertEquals(files.paths.filter((path) => path.endsWith(".rrd")).sort(), names);
  });
});
