/** Many recordings that are announced at once: their files are made side by side. */
import { describe, it } from "node:test";
import { setImmediate } from "node:timers";
import { assertEquals } from "@std/assert";
import {
  type FileHook,
  type MemoryFiles,
  memoryFiles,
} from "../../../lib/adapters/files/memory_files.ts";
import type { Clock } from "../../../lib/base/clock.ts";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import { storeOf } from "../../../lib/encoding/store_of.ts";
import { rrdFileSink, type RrdFileSinkOptions } from "../../../lib/sinks/file/rrd_file.ts";
import { announcement, chunk, received, told } from "../../forward/chunks.ts";
import { fewFiles, unparked } from "../few_files.ts";

const PATH = "{recording_id}-{part}.rrd";
const INDEX = `${PATH}.index.jsonl`;

/** Gives a sink the announcements of recordings, and a message of each, in one batch. */
async function save(
  ids: readonly string[],
  hook: (files: MemoryFiles) => FileHook = () => () => {},
  over: Partial<RrdFileSinkOptions> = {},
) {
  const files: MemoryFiles = memoryFiles((operation) => hook(files)(operation));
  if (over.processes !== undefined) unparked(files);
  const sink = await rrdFileSink({ path: PATH, files, date: () => 0, ...over });
  await sink.write([
    ...ids.map((id) => received(announcement(id))),
    ...ids.map((id) => received(chunk(id, 0))),
  ]);
  await sink.close();
  return { files, sink };
}

/** What is in each file: the kinds and recordings of its messages. */
function contents(files: MemoryFiles): Record<string, string[]> {
  const paths = files.paths.filter((path) => path.endsWith(".rrd"));
  return Object.fromEntries(paths.map((path) => {
    const { items } = new RrdDecoder().push(files.read(path)!);
    return [path, items.map((msg) => `${msg.kind} ${storeOf(msg)?.id}`)];
  }));
}

/** Lets everything that can happen without outside help happen. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A sink whose files are made once `made` resolves; its clock stands still. */
async function slow(made: Promise<void>, timer: Clock["timer"] = () => () => {}) {
  const files = memoryFiles(({ kind, path }) =>
    kind === "create" && path.endsWith(".part") ? made : undefined
  );
  const sink = await rrdFileSink({ path: PATH, files, now: () => 0, date: () => 0, timer });
  return { files, sink };
}

const idsOf = (count: number) => Array.from({ length: count }, (_, i) => `r${i}`);

describe("rrdFileSink, of many recordings announced at once", () => {
  it("notes them at once, and each on the disk before its file is made", async () => {
    let syncs = 0;
    const unnoted: string[] = [];
    const { files } = await save(idsOf(100), (files) => ({ kind, path }) => {
      if (kind === "create" && path.endsWith(".rrd.part")) {
        const noted = new TextDecoder().decode(files.readSynced(INDEX));
        if (!noted.includes(`"${path.slice(0, -".part".length)}"`)) unnoted.push(path);
      }
      // Each file is noted once more at its end, together with others.
      if (kind === "sync" && path === INDEX) syncs++;
    });
    assertEquals(unnoted, []);
    assertEquals(syncs < 10, true, `${syncs} syncs`);
    assertEquals(Object.keys(contents(files)).length, 100);
  });

  it("keeps what each file gets in order, also of more files than may be open", async () => {
    let [open, most] = [0, 0];
    const { files, sink } = await save(idsOf(300), () => ({ kind, path }) => {
      if (!path.endsWith(".rrd.part")) return;
      if (kind === "create") most = Math.max(most, ++open);
      if (kind === "close") open--;
    }, { processes: fewFiles(256) });
    assertEquals(sink.lost, { messages: 0, bytes: 0 });
    assertEquals(most <= 256, true, `${most} open files`);
    const of = contents(files);
    for (const id of idsOf(300)) {
      const parts = Object.keys(of).filter((path) => path.startsWith(`${id}-`)).sort();
      // Some are closed to make room before their second message comes; the next part repeats the first.
      const all = parts.flatMap((path) => of[path]!);
      const [announced, logged] = [`SetStoreInfo ${id}`, `ArrowMsg ${id}`];
      assertEquals(all, parts.length === 1 ? [announced, logged] : [announced, announced, logged]);
    }
  });

  it("gives them numbers where their names are equal", async () => {
    const { files, sink } = await save(["a/", "a:", "a*"]);
    assertEquals(sink.lost, { messages: 0, bytes: 0 });
    assertEquals(contents(files), {
      "a_-0001.rrd": ["SetStoreInfo a/", "ArrowMsg a/"],
      "a_-0002.rrd": ["SetStoreInfo a:", "ArrowMsg a:"],
      "a_-0003.rrd": ["SetStoreInfo a*", "ArrowMsg a*"],
    });
  });

  it("puts what is announced once more into the file that is being made", async () => {
    const { files } = await save(["a", "b", "a"]);
    assertEquals(contents(files), {
      "a-0001.rrd": ["SetStoreInfo a", "SetStoreInfo a", "ArrowMsg a", "ArrowMsg a"],
      "b-0001.rrd": ["SetStoreInfo b", "ArrowMsg b"],
    });
  });

  it("loses only what a file was to get that can't be made", async () => {
    const { files, sink } = await save(["a", "b", "c"], () => ({ kind, path }) => {
      if (kind === "create" && path.startsWith("b-")) throw new Error("the disk fails");
    });
    assertEquals(sink.lost.messages, 2);
    assertEquals(contents(files), {
      "a-0001.rrd": ["SetStoreInfo a", "ArrowMsg a"],
      "c-0001.rrd": ["SetStoreInfo c", "ArrowMsg c"],
    });
  });

  it("keeps nobody waiting who announces one, whose memory may be used again", async () => {
    const made = Promise.withResolvers<void>();
    const { files, sink } = await slow(made.promise);
    for (const id of ["a", "b"]) {
      const message = announcement(id);
      assertEquals(sink.write([received(message)]), undefined);
      message.encoded.bytes.fill(0);
    }
    let isWritten = false;
    const written = Promise.resolve(sink.write([received(chunk("a", 0))]));
    void written.then(() => isWritten = true);
    await settle();
    assertEquals(isWritten, false);
    made.resolve();
    await written;
    await sink.close();
    assertEquals(contents(files), {
      "a-0001.rrd": ["SetStoreInfo a", "ArrowMsg a"],
      "b-0001.rrd": ["SetStoreInfo b"],
    });
  });

  it("lets a program wait that announces more than 256, or one twice", async () => {
    for (const ids of [idsOf(300), ["a", "b", "a"]]) {
      const made = Promise.withResolvers<void>();
      const { files, sink } = await slow(made.promise);
      let written: Promise<void> | undefined;
      let taken = 0;
      for (const id of ids) {
        written = sink.write([received(announcement(id))]) as Promise<void> | undefined;
        if (written !== undefined) break;
        taken++;
      }
      assertEquals(taken, Math.min(ids.length - 1, 256));
      made.resolve();
      await written;
      await sink.close();
      assertEquals(sink.kept.messages, taken + 1);
      assertEquals(Object.keys(contents(files)).length, new Set(ids.slice(0, taken + 1)).size);
    }
  });

  it("writes and syncs what was announced, though nothing comes behind it", async () => {
    const made = Promise.withResolvers<void>();
    const due: (() => void)[] = [];
    const { files, sink } = await slow(made.promise, (_, go) => (due.push(go), () => {}));
    await sink.write([received(announcement("a"))]);
    made.resolve();
    for (let i = 0; i < 5 && !files.readSynced("a-0001.rrd.part")?.length; i++) {
      await settle();
      for (const go of due.splice(0)) go();
    }
    assertEquals(files.readSynced("a-0001.rrd.part")!.length > 0, true);
    await sink.close();
  });

  it("confirms it once it is on the disk, and closes it", async () => {
    const made = Promise.withResolvers<void>();
    const { files, sink } = await slow(made.promise);
    await sink.write([received(announcement("a"))]);
    let isConfirmed = false;
    const confirmed = sink.confirm()().then(() => isConfirmed = true);
    await settle();
    assertEquals(isConfirmed, false);
    made.resolve();
    await confirmed;
    assertEquals(files.readSynced("a-0001.rrd.part")!.length > 0, true);
    await sink.close();
    assertEquals(contents(files), { "a-0001.rrd": ["SetStoreInfo a"] });
  });

  it("closes it, though its file is still being made", async () => {
    const made = Promise.withResolvers<void>();
    const { files, sink } = await slow(made.promise);
    await sink.write([received(announcement("a"))]);
    const closed = sink.close();
    await settle();
    made.resolve();
    await closed;
    assertEquals(sink.lost, { messages: 0, bytes: 0 });
    assertEquals(contents(files), { "a-0001.rrd": ["SetStoreInfo a"] });
  });
});

describe("rrdFileSink, of many recordings whose next files are due at once", () => {
  const ids = idsOf(100);
  /** Messages of each recording with these numbers, as they come: a round of all for each number. */
  const rounds = (...numbers: number[]) =>
    numbers.flatMap((number) => ids.map((id) => received(chunk(id, number))));

  for (const rrdFormat of ["as-sent", "current"] as const) {
    it(`makes them side by side, each message in its place (${rrdFormat})`, async () => {
      let syncs = 0;
      const files: MemoryFiles = memoryFiles(({ kind, path }) => {
        if (kind === "sync" && path === INDEX) syncs++;
      });
      const rotation = { maxBytes: 1 };
      const sink = await rrdFileSink({ path: PATH, files, date: () => 0, rotation, rrdFormat });
      await sink.write(ids.map((id) => received(announcement(id))));
      await sink.write(rounds(0));
      await sink.confirm()();
      const before = syncs;
      await sink.write(rounds(1));
      const made = syncs - before;
      assertEquals(made < 20, true, `${made} syncs`);
      await sink.write(rounds(2, 3));
      await sink.close();
      assertEquals(sink.lost, { messages: 0, bytes: 0 });
      assertEquals(sink.kept.messages, 5 * ids.length);
      for (const id of ids) {
        const all = files.paths.filter((path) => path.startsWith(`${id}-`)).sort()
          .flatMap((path) =>
            new RrdDecoder().push(files.read(path)!).items.flatMap((msg) => told(msg) ?? [])
          );
        assertEquals(all, [0, 1, 2, 3].map((number) => `${id} ${number}`));
      }
    });
  }
});
