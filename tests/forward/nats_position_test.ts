import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import type { LogMsg, SmartMessage } from "../../mod.ts";
import { changedLine, parsePosition, positionText } from "../../lib/forward/_position_file.ts";
import { NatsPosition } from "../../lib/forward/nats_position.ts";
import { NatsSeen } from "../../lib/server/nats_seen.ts";
import { fromNats } from "../../lib/server/from_nats.ts";
import { memoryFiles, rrdFileSink } from "../../lib/sinks/mod.ts";
import { capturedMessages } from "./batches.ts";

const PATH = "rec/{recording_id}-{part}.rrd";
const never = new AbortController().signal;

function batch(msgs: readonly LogMsg[]): SmartMessage[] {
  const source = { kind: "nats-box", id: 1, box: "a" } as const;
  return msgs.map((msg) => ({ source, payload: { type: "msg", msg }, time: 0 }));
}

const FILE = `${PATH}.from-nats.json`;

/** A disk on which this stands as the position. */
async function diskWith(position: Uint8Array) {
  const files = memoryFiles();
  const file = await files.create(FILE, "new");
  await file.write(position);
  await file.close();
  return files;
}

async function open(files: ReturnType<typeof memoryFiles>) {
  const position = new NatsPosition();
  const sink = await rrdFileSink({ path: PATH, files, followers: [position] });
  await sink.recovered;
  return { position, sink };
}

describe("NatsPosition", () => {
  const msgs = capturedMessages("0.22.1-mixed");
  const note = (seq: number) => ({ seq, seen: [], beyond: [] });

  it("says at the first start that there is nothing", async () => {
    const { position, sink } = await open(memoryFiles());
    assertEquals(await position.start(never), { note: undefined, skip: new Map() });
    await sink.close();
  });

  it("counts what was kept beyond the note, in files that were open and in new ones", async () => {
    const files = memoryFiles();
    const first = await open(files);
    await first.sink.write(batch(msgs.slice(0, 10)));
    await first.position.start(never);
    await first.position.note(note(7), first.sink);
    await first.sink.write(batch(msgs.slice(10, 15)));
    // It ends as if it had been killed: without a last note.
    await first.sink.close();
    const second = await open(files);
    assertEquals(await second.position.start(never), {
      note: note(7),
      skip: new Map([["rec-mixed", 5]]),
    });
    await second.position.note(note(8), second.sink);
    await second.sink.write(batch(msgs.slice(15, 17)));
    await second.sink.close();
    const third = await open(files);
    assertEquals((await third.position.start(never)).skip, new Map([["rec-mixed", 2]]));
    await third.sink.close();
  });

  it("adds what was received behind the position, and notes the end", async () => {
    const files = memoryFiles();
    const first = await open(files);
    await first.position.start(never);
    await first.sink.write(batch(msgs.slice(0, 4)));
    await first.position.note({ ...note(7), beyond: [["rec-mixed", 2]] }, first.sink);
    await first.sink.write(batch(msgs.slice(4, 5)));
    first.position.onClosed = () => undefined;
    await first.sink.close();
    const second = await open(files);
    assertEquals((await second.position.start(never)).skip, new Map([["rec-mixed", 3]]));
    second.position.onClosed = () => note(20);
    await second.sink.close();
    const third = await open(files);
    assertEquals(await third.position.start(never), { note: note(20), skip: new Map() });
    await third.sink.close();
  });

  it("still knows at the second kill in a row what was kept before the first", async () => {
    const files = memoryFiles();
    const first = await open(files);
    await first.position.start(never);
    await first.position.note(note(7), first.sink);
    await first.sink.write(batch(msgs.slice(0, 5)));
    await first.sink.close();
    for (let kills = 0; kills < 2; kills++) {
      const next = await open(files);
      const { note: noted, skip } = await next.position.start(never);
      assertEquals(skip, new Map([["rec-mixed", 5]]));
      const feed = fromNats({ url: "nats://127.0.0.1", note: noted!, skip });
      await next.position.note(feed.note(), next.sink);
      await next.sink.close();
    }
  });

  it("counts nothing that was given to the sink before the note, in files begun since", async () => {
    const files = memoryFiles();
    const position = new NatsPosition();
    const rotation = { maxBytes: 1000 };
    const sink = await rrdFileSink({ path: PATH, files, followers: [position], rotation });
    await sink.recovered;
    await position.start(never);
    // Not waited for: its files are begun when its turn comes.
    const written = sink.write(batch(msgs));
    await position.note(note(7), sink);
    await written;
    await sink.close();
    assert(files.paths.filter((path) => path.endsWith(".rrd")).length > 3);
    const next = await open(files);
    assertEquals((await next.position.start(never)).skip, new Map());
    await next.sink.close();
  });

  it("counts files begun after the note also where the one begun before it was removed", async () => {
    const files = memoryFiles();
    const first = await open(files);
    await first.position.start(never);
    await first.sink.write(batch(msgs.slice(0, 5)));
    await first.sink.close();
    // As a kill leaves it: a file that was begun, in which no message is whole.
    const left = await files.create("rec/rec-mixed-0002.rrd.part", "new");
    await left.write(msgs[0]!.encoded.header.bytes);
    await left.close();
    const index = await files.create(`${PATH}.index.jsonl`, "append");
    const line = { kind: "file", id: "left", name: "rec-mixed-0002.rrd", state: "writing" };
    const known = { bytes: 0, hasData: false, footer: "none", forwarded: 0 };
    await index.write(new TextEncoder().encode(`${JSON.stringify({ ...line, ...known })}\n`));
    await index.close();
    const second = await open(files);
    assertEquals(files.paths.filter((path) => path.includes("0002")), []);
    await second.position.start(never);
    await second.position.note(note(8), second.sink);
    await second.sink.write(batch(msgs.slice(5, 8)));
    await second.sink.close();
    const third = await open(files);
    assertEquals((await third.position.start(never)).skip, new Map([["rec-mixed", 3]]));
    await third.sink.close();
  });

  it("is kept where the names in a folder can't be synced, and holds no file back", async () => {
    const files = memoryFiles(({ kind }) => {
      if (kind === "syncFolder") throw new Error("EINVAL");
    });
    const first = await open(files);
    await first.position.start(never);
    await first.sink.write(batch(msgs.slice(0, 5)));
    await first.position.note(note(7), first.sink);
    await first.position.note(note(8), first.sink);
    first.position.onClosed = () => note(9);
    await first.sink.close();
    const next = await open(files);
    assertEquals(await next.position.start(never), { note: note(9), skip: new Map() });
    await next.sink.close();
  });

  it("adds what has changed, and is written whole again when that is as much", async () => {
    const files = memoryFiles();
    const first = await open(files);
    await first.position.start(never);
    const seen = new NatsSeen();
    let wholes = 0;
    const noteNow = (seq: number) =>
      first.position.note({ ...note(seq), seen: seen.changes() }, first.sink, () => {
        wholes++;
        return { ...note(seq), seen: seen.toJSON(), subjects: ["all"] };
      });
    for (let i = 0; i < 5000; i++) seen.note(`recording ${i}`, "file", i);
    for (let seq = 1; seq < 1000; seq++) {
      seen.note(`recording ${seq % 7}`, `file ${seq % 3}`, 10_000 + seq);
      await noteNow(seq);
    }
    assertEquals(wholes, 1);
    const length = () => files.read(FILE)!.length;
    const before = length();
    await noteNow(1000);
    assert(length() - before < 1000, `${length() - before}`);
    // As a power cut leaves it, in the midst of a line.
    const torn = await open(await diskWith(files.read(FILE)!.slice(0, -5)));
    const start = await torn.position.start(never);
    assertEquals([start.note!.seq, start.note!.subjects], [999, ["all"]]);
    assertEquals(new Map(start.note!.seen), new Map(seen.toJSON()));
    for (let seq = 1001; wholes === 1; seq++) {
      for (let i = 0; i < 100; i++) seen.note(`recording ${i}`, "file", 20_000 + seq);
      await noteNow(seq);
    }
    const whole = await open(await diskWith(files.read(FILE)!));
    assertEquals(new Map((await whole.position.start(never)).note!.seen), new Map(seen.toJSON()));
    await Promise.all([first, torn, whole].map(({ sink }) => sink.close()));
  });

  it("is written whole again where what has changed could not be added", async () => {
    const files = memoryFiles();
    const { position, sink } = await open(files);
    await position.start(never);
    const seen = new NatsSeen();
    const noteNow = (seq: number, to: Pick<typeof sink, "mark"> = sink) =>
      position.note({ ...note(seq), seen: seen.changes() }, to, () => ({
        ...note(seq),
        seen: seen.toJSON(),
      }));
    await noteNow(1);
    seen.note("recording", "file", 4);
    await assertRejects(
      () => noteNow(2, { mark: () => Promise.reject(new Error("full")) }),
      Error,
      "full",
    );
    seen.note("another", "file", 5);
    await noteNow(3);
    const next = await open(await diskWith(files.read(FILE)!));
    const start = await next.position.start(never);
    assertEquals(start.note!.seen, [["recording", [["file", 4]]], ["another", [["file", 5]]]]);
    await Promise.all([sink.close(), next.sink.close()]);
  });

  it("forgets what was read with other filters where the stream begins anew", () => {
    const position = { beyond: [], last: null, open: [] };
    const covered = [[900, ["rerelay.box-b.*.*"]]] as const;
    const text = positionText({ ...position, note: { ...note(1000), covered } });
    const unchanged = changedLine({ ...position, note: { ...note(1001), covered } });
    assertEquals(parsePosition(text + unchanged).note.covered, covered.map((one) => [...one]));
    const anew = changedLine({ ...position, note: { ...note(2), covered: [] } });
    assertEquals(parsePosition(text + unchanged + anew).note, { ...note(2), covered: [] });
  });

  it("is seen to be torn", () => {
    const text = positionText({ note: note(7), beyond: [], last: null, open: [] });
    assertEquals(parsePosition(text).note, note(7));
    for (let length = 0; length < text.length - 1; length++) {
      assertThrows(() => parsePosition(text.slice(0, length)), Error);
    }
  });
});
