import { describe, it } from "node:test";
import { assert, assertEquals, assertLess } from "@std/assert";
import { memoryFiles } from "../../../lib/adapters/files/memory_files.ts";
import type { SmartMessage } from "../../../lib/flow/channel/smart_message.ts";
import { rrdFileSink, type RrdFileSinkOptions } from "../../../lib/sinks/file/rrd_file.ts";
import { contentsOf, SdkClient } from "../clients.ts";
import { keptLog } from "../messages.ts";
import { cases } from "../../counts.ts";

type Step = SmartMessage | SmartMessage[] | number;

/** Writes batch by batch; a number lets so many milliseconds pass. */
async function save(path: string, steps: Step[], over: Partial<RrdFileSinkOptions> = {}) {
  const files = memoryFiles();
  const log = keptLog();
  let ms = 0;
  const sink = await rrdFileSink({ path, files, log, date: () => 0, now: () => ms, ...over });
  let received = 0;
  for (const step of steps) {
    if (typeof step === "number") {
      ms += step;
      await sink.write([]);
      continue;
    }
    const batch = [step].flat();
    for (const { payload } of batch) {
      if (payload.type === "msg") received += payload.msg.encoded.bytes.length;
    }
    await sink.write(batch);
  }
  await sink.close();
  const paths = files.paths.filter((path) => path.endsWith(".rrd"));
  const bytes = paths.reduce((sum, path) => sum + files.read(path)!.length, 0);
  const found = Object.fromEntries(paths.map((path) => [path, contentsOf(files.read(path)!)]));
  return { sink, log, found, bytes, received };
}

/** A program as SDKs start: its blueprint comes before the recording is announced. */
function start(i: number, data = 1000): { client: SdkClient; steps: Step[] } {
  const client = new SdkClient(i + 1);
  const recording = `r${i}`;
  return {
    client,
    steps: [...client.blueprint(`b${i}`, { data }), client.announces(recording)],
  };
}

const layout = (id: string) => [`*${id}`, id, `${id}+`];
const EACH = "{recording_id}.rrd";

describe("rrdFileSink and blueprints of one client after the other", () => {
  it("puts each into the recording of its client alone", async () => {
    const steps = [0, 1, 2].flatMap((i) => {
      const { client, steps } = start(i);
      return [...steps, client.logs(`r${i}`), client.quits()];
    });
    const { found, sink } = await save(EACH, steps);
    assertEquals(found, {
      "r0.rrd": ["*r0", ...layout("b0"), "r0"],
      "r1.rrd": ["*r1", ...layout("b1"), "r1"],
      "r2.rrd": ["*r2", ...layout("b2"), "r2"],
    });
    assertEquals([sink.kept.messages, sink.lost.messages], [15, 0]);
  });

  it("takes what is announced twice, as SDKs do it, for the same", async () => {
    const client = new SdkClient(1);
    const [announced, ...rest] = client.blueprint("b") as [SmartMessage, ...SmartMessage[]];
    const steps = [announced, announced, ...rest, client.announces("one"), client.logs("one")];
    const { found, log, sink } = await save(EACH, steps);
    assertEquals(found, { "one.rrd": ["*one", ...layout("b"), "one"] });
    assertEquals([log.of("warn"), sink.lost.messages], [[], 0]);
  });

  it("writes no more than three times what came, however many there are, at once as well", async () => {
    const many = cases(300, 100);
    for (const isAtOnce of [false, true]) {
      const all = Array.from({ length: many }, (_, i) => start(i, 25_000));
      const steps = isAtOnce
        ? [
          ...all.flatMap(({ steps }) => steps.slice(0, 2)),
          ...all.flatMap(({ client, steps }, i) => [...steps.slice(2), client.logs(`r${i}`, 500)]),
          5000,
          ...all.map(({ client }) => client.quits()),
        ]
        : all.flatMap((
          { client, steps },
          i,
        ) => [...steps, client.logs(`r${i}`, 500), client.quits()]);
      const { found, bytes, received } = await save(EACH, steps);
      assertEquals(Object.keys(found).length, many);
      for (let i = 0; i < many; i++) assert(found[`r${i}.rrd`]!.includes(`b${i}+`), `${i}`);
      assertLess(bytes, 1.1 * received);
    }
  });

  it("writes no more than that where one client logs all recordings", async () => {
    const client = new SdkClient(1);
    const steps = Array.from({ length: 200 }, (_, i) => [
      client.announces(`r${i}`),
      ...client.blueprint(`b${i}`, { data: 25_000 }),
      client.logs(`r${i}`, 500),
    ]).flat();
    const { found, bytes, received } = await save(EACH, steps);
    assertEquals(Object.keys(found).length, 200);
    assertLess(bytes, 3 * received);
    for (let i = 0; i < 200; i++) assert(found[`r${i}.rrd`]!.includes(`b${i}+`), `${i}`);
  });

  it("does not open a file again, nor make one", async () => {
    const { client, steps } = start(0);
    const files: Step[] = Array.from({ length: 256 }, (_, i) => client.announces(`x${i}`));
    const alone = new SdkClient(1000);
    const { found, sink, log } = await save(EACH, [
      ...steps,
      ...files, // r0's file is closed to make room
      alone.blueprint("late"),
      new SdkClient(1001, "other").blueprint("nobody's"),
    ]);
    assertEquals(Object.keys(found).length, 257);
    assertEquals(found["r0.rrd"], ["*r0", ...layout("b0")]);
    const [line, ...others] = log.of("warn");
    assertEquals(
      line?.includes("No file has 3 messages") && line.includes("of blueprints"),
      true,
      line,
    );
    assertEquals(others, []);
    assertEquals(sink.lost.messages, 0);
  });
});

describe("rrdFileSink and blueprints of a client without a recording", () => {
  it("puts them into the recordings of connected clients, once each", async () => {
    const [one, two, gone] = [1, 2, 3].map((id) => new SdkClient(id)) as [
      SdkClient,
      SdkClient,
      SdkClient,
    ];
    const other = new SdkClient(4, "other");
    const { found, sink } = await save(EACH, [
      [one.announces("one"), two.announces("two"), gone.announces("gone")],
      [two.announces("one"), other.announces("other"), gone.quits()],
      new SdkClient(9).blueprint("layout"),
      2000,
      one.logs("one"),
    ]);
    assertEquals(found, {
      "one.rrd": ["*one", "*one", ...layout("layout"), "one"],
      "two.rrd": ["*two", ...layout("layout")],
      "gone.rrd": ["*gone"],
      "other.rrd": ["*other"],
    });
    assertEquals([sink.kept.messages, sink.lost.messages], [9, 0]);
  });

  it("does so when it leaves, and at the latest when all ends", async () => {
    for (const end of [[new SdkClient(9).quits()], []]) {
      const one = new SdkClient(1);
      const steps = [one.announces("one"), new SdkClient(9).blueprint("layout"), ...end];
      assertEquals((await save(EACH, steps)).found, { "one.rrd": ["*one", ...layout("layout")] });
    }
  });

  it("remembers them for files that begin later, the active and the default one", async () => {
    const designer = new SdkClient(9);
    const late = new SdkClient(1);
    const { found } = await save(EACH, [
      designer.blueprint("old"),
      designer.blueprint("default", { active: false }),
      designer.blueprint("active", { isDefault: false }),
      designer.quits(),
      late.announces("late"),
    ]);
    assertEquals(found, { "late.rrd": ["*late", ...layout("default"), ...layout("active")] });
  });

  it("gives later parts the blueprint that its own client sent", async () => {
    const [one, two] = [new SdkClient(1), new SdkClient(2)];
    const { found } = await save("{recording_id}-{part}.rrd", [
      ...one.blueprint("b1"),
      one.announces("one"),
      ...two.blueprint("b2"),
      two.announces("two"),
      one.logs("one", 3000),
      one.logs("one", 3000),
    ], { rotation: { maxBytes: 3000 } });
    assertEquals(found["one-0002.rrd"]!.slice(0, 4), ["*one", ...layout("b1")]);
    assertEquals(found["two-0001.rrd"]!.slice(0, 4), ["*two", ...layout("b2")]);
    for (const contents of Object.values(found)) {
      assertEquals(contents.filter((name) => name.startsWith("*b")).length, 1, `${contents}`);
    }
  });

  it("takes an activation that comes later, from another connection", async () => {
    const [one, designer, again] = [new SdkClient(1), new SdkClient(8), new SdkClient(9)];
    const [announced, data, activated] = designer.blueprint("layout") as [
      SmartMessage,
      SmartMessage,
      SmartMessage,
    ];
    const activates = { ...activated, source: { kind: "tcp-client" as const, id: again.id } };
    const { found } = await save(EACH, [
      one.announces("one"),
      [announced, data, designer.quits()],
      2000,
      one.logs("one"),
      [activates, again.quits()],
    ]);
    assertEquals(found, { "one.rrd": ["*one", "one", ...layout("layout")] });
  });
});

describe("rrdFileSink with files that recordings share", () => {
  it("writes blueprints once, and makes no file for them", async () => {
    const designer = new SdkClient(9);
    const one = new SdkClient(1);
    const fixed = await save("all.rrd", [designer.blueprint("b"), one.announces("one")]);
    assertEquals(fixed.found, { "all.rrd": [...layout("b"), "*one"] });
    const parts = await save("p-{part}.rrd", [designer.blueprint("b"), designer.quits()]);
    assertEquals(parts.found, {});
    const later = await save("p-{part}.rrd", [
      ...[designer.blueprint("a"), designer.blueprint("b")],
      ...[one.announces("one"), designer.blueprint("c"), one.logs("one")],
    ]);
    assertEquals(later.found, {
      "p-0001.rrd": ["*one", ...layout("b"), ...layout("c"), "one"],
    });
  });

  it("tells an application named like a recording from one", async () => {
    const [client, designer] = [new SdkClient(1, "Recording 1"), new SdkClient(2, "Recording 1")];
    const pattern = "{application_id}-{recording_id}.rrd";
    const steps = [designer.blueprint("b"), client.announces("one"), designer.blueprint("c"), 2000];
    assertEquals((await save(pattern, steps)).found, {
      "Recording 1-one.rrd": ["*one", ...layout("b"), ...layout("c")],
    });
  });
});

describe("rrdFileSink that keeps so many files, of which some have no data", () => {
  it("gives up those first", async () => {
    const clients = Array.from({ length: 9 }, (_, i) => new SdkClient(i + 1));
    const steps = clients.flatMap((client, i) => [
      client.announces(`r${i}`),
      ...client.blueprint(`b${i}`),
      // All but three programs end before they log anything.
      ...(i % 3 === 0 ? [client.logs(`r${i}`)] : []),
    ]);
    const { found } = await save(EACH, steps, { keep: { files: 3 } });
    assertEquals(Object.keys(found).sort(), ["r0.rrd", "r3.rrd", "r6.rrd"]);
  });
});

describe("rrdFileSink whose files begin with more than they may have", () => {
  it("counts what is new, and says so once", async () => {
    const client = new SdkClient(1);
    const { found, log, bytes, received } = await save("{recording_id}-{part}.rrd", [
      ...client.blueprint("b", { data: 60_000 }),
      client.announces("one"),
      ...Array.from({ length: 100 }, () => client.logs("one", 100)),
    ], { rotation: { maxBytes: 5000 } });
    const names = Object.keys(found);
    assert(names.length > 2 && names.length < 8, `${names}`);
    assertLess(bytes, 3 * received + names.length * 61_000);
    assertEquals(log.of("warn").filter((line) => line.includes("--rotate-size")).length, 1);
  });
});
