import { assert, assertEquals, assertThrows } from "@std/assert";
import { tableFromArrays, tableToIPC } from "apache-arrow";
import { describe, it } from "node:test";
import { HubClosed, TooManyViewers } from "../../lib/base/errors.ts";
import { ArrowMsg } from "../../lib/encoding/arrow_msg.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { lengthOf } from "../../lib/encoding/split_encoded.ts";
import { viewerHub } from "../../lib/viewers/hub.ts";
import type { Viewer } from "../../lib/viewers/types.ts";
import { storeOf } from "../../lib/encoding/store_of.ts";
import { chunk as bridgedChunk, chunkOf } from "../bridge/chunks.ts";
import { concat } from "../encoding/rrd_builder.ts";
import { SdkClient } from "../sinks/clients.ts";
import { keptLog, QUIT } from "../sinks/messages.ts";
import { TestClock } from "./clock.ts";
import {
  announcement,
  captured,
  chunk,
  madeHub,
  realFrames,
  smart,
  staticChunk,
  taken,
} from "./messages.ts";

const MiB = 2 ** 20;

const ids = (msgs: readonly LogMsg[]) =>
  msgs.map((msg) =>
    msg.kind === "ArrowMsg"
      ? `${msg.timepointMax?.length ? "" : "static "}${msg.chunkId?.inc}`
      : msg.kind === "SetStoreInfo"
      ? msg.info.storeId.id
      : msg.kind
  );

describe("viewer hub", () => {
  for (const name of ["0.22.1-mixed", "0.22.1-blueprint"]) {
    it(`gives a late viewer of ${name} what the real server gives, in its order`, async () => {
      const hub = madeHub();
      hub.write(captured(name).map((msg) => smart(msg)));
      const frames = (await taken(hub.join())).map((msg) => hub.frame(msg));
      assertEquals(frames, realFrames(name));
    });

    it(`gives an early viewer of ${name} what came, in the order it came`, async () => {
      const hub = madeHub();
      const viewer = hub.join();
      const msgs = captured(name);
      for (const msg of msgs) hub.write([smart(msg)]);
      assertEquals((await taken(viewer)).map((m) => m.encoded), msgs.map((m) => m.encoded));
    });
  }

  it("tells how old the next message for a viewer is, also if it is given everything", async () => {
    const clock = new TestClock();
    const hub = madeHub({ now: clock.now });
    hub.write([smart(announcement("rec"))]);
    clock.pass(5000);
    const [all, fresh] = [hub.join(), hub.join({ latencySec: 2 })];
    const download = hub.join({ until: "now" });
    const ages = () => hub.stats.viewers.map(({ ageSec }) => ageSec);
    // What came before they joined is history, and has no age.
    assertEquals(ages(), [0, 0, 0]);
    clock.pass(1000);
    hub.write([smart(chunk(1, 100))]);
    clock.pass(3000);
    hub.write([smart(chunk(2, 100))]);
    assertEquals(ages(), [3, 3, 0]);
    await taken(all);
    await taken(fresh);
    assertEquals(ages(), [0, 0, 0]);
    for (const viewer of [all, fresh, download]) viewer.close("left");
  });

  it("keeps history however small its limit is and large the chunks that are inflated to be checked", () => {
    const hub = viewerHub({ limitBytes: MiB });
    const ipc = tableToIPC(tableFromArrays({ values: new Int32Array(MiB / 2) }), "stream");
    // As LZ4 has bytes without repetition.
    const more = ipc.length - 15;
    const length = new Uint8Array(Math.ceil(more / 255)).fill(255);
    const bytes = concat(Uint8Array.of(0xf0), length.with(-1, more % 255), ipc);
    const small = captured("0.22.1-mixed");
    const { storeId, timepointMax, encoded: { header } } = small.find((msg) =>
      msg instanceof ArrowMsg && msg.timepointMax?.length
    ) as ArrowMsg;
    const arrow = { bytes, compression: "lz4", uncompressedSize: ipc.length } as const;
    const large = new ArrowMsg(storeId, undefined, timepointMax, undefined, arrow, {
      header,
      bytes,
    });
    hub.write([smart(large)]); // which is not kept
    hub.write(small.map((msg) => smart(msg)));
    assertEquals(hub.stats.leftOut.unreadable, 0);
    assertEquals(hub.stats.history.messages, small.length);
  });

  it("gives in order of arrival where that is asked for", async () => {
    const hub = madeHub();
    hub.write([chunk(1, 10), announcement("rec"), chunk(2, 10)].map((msg) => smart(msg)));
    assertEquals(ids(await taken(hub.join({ order: "arrival" }))), ["1", "rec", "2"]);
    assertEquals(ids(await taken(hub.join())), ["rec", "1", "2"]);
  });

  it("gives kind by kind where that is asked for, and then what came meanwhile", async () => {
    const hub = madeHub();
    const blueprint = { kind: "Blueprint", id: "bp" } as const;
    const activation: LogMsg = {
      kind: "BlueprintActivationCommand",
      blueprintId: blueprint,
      makeActive: true,
      makeDefault: true,
      encoded: announcement("rec").encoded,
    };
    const layout = captured("0.22.1-blueprint").find((msg) =>
      msg.kind === "ArrowMsg" && msg.storeId.kind === "Blueprint"
    )!;
    const came = [
      ...[chunk(1, 10), staticChunk(2, "rec"), chunk(3, 40_000), layout, activation],
      ...[announcement("rec"), announcement("bp", blueprint), chunk(4, 10)],
    ];
    hub.write(came.map((msg) => smart(msg)));
    for (const maxBytes of [1, 1000, 2 ** 20]) {
      const viewer = hub.join({ order: "kinds" });
      const first = await taken(viewer, maxBytes);
      const expected = [came[5], came[6], layout, activation, ...[1, 0, 2, 7].map((i) => came[i])];
      assertEquals(first.map((m) => m.kind), expected.map((m) => m!.kind));
      assertEquals(ids(first), ids(expected as LogMsg[]));
      viewer.close("left");
    }
    const viewer = hub.join({ order: "kinds" });
    assertEquals(ids(await viewer.next(1) ?? []), ["rec"]);
    hub.write([announcement("later"), staticChunk(5, "other"), chunk(6, 10)].map((m) => smart(m)));
    assertEquals(ids(await taken(viewer, 1)).slice(-3), ["later", "static 5", "6"]);
  });

  it("goes on with what came while a late viewer went through the history", async () => {
    const hub = madeHub();
    hub.write([announcement("rec"), chunk(1, 600), chunk(2, 600)].map((msg) => smart(msg)));
    const viewer = hub.join();
    assertEquals(ids(await viewer.next(1) ?? []), ["rec"]);
    hub.write([chunk(3, 10), announcement("other"), chunk(4, 10)].map((msg) => smart(msg)));
    assertEquals(viewer.caughtUp, false);
    assertEquals(ids(await taken(viewer, 1)), ["1", "2", "3", "other", "4"]);
    assertEquals(viewer.caughtUp, true);
    hub.write([smart(chunk(5, 10))]);
    assertEquals(ids(await taken(viewer)), ["5"]);
  });

  it("holds history back for what comes live, where the newest comes first", async () => {
    let nowMs = 0;
    let passes = () => {};
    const delay = () => new Promise<void>((resolve) => passes = resolve);
    const hub = madeHub({ now: () => nowMs, delay });
    hub.write(Array.from({ length: 40 }, (_, i) => smart(chunk(i + 1, 100_000))));
    const viewer = hub.join({ history: "newest-first" });
    const first = ids(await taken(viewer, 1));
    assertEquals(first, ["40", "39", "38", "37", "36", "35"]);
    hub.write([smart(chunk(41, 100_000))]);
    assertEquals(ids(await taken(viewer, 1)), ["41"]);
    nowMs += 1000;
    passes();
    const more = ids(await taken(viewer, 1));
    assertEquals([more[0], more.length > 5], ["34", true]);
    assertEquals(viewer.caughtUp, false);
    const closed = hub.close();
    assertEquals(ids(await taken(viewer, 1)).at(-1), "1");
    assertEquals(viewer.caughtUp, true);
    viewer.close("closed");
    await closed;
  });

  it("gives others their turn while a viewer looks for what is of its recording", async () => {
    let [nowMs, turns] = [0, 0];
    const delay = () => Promise.resolve(void turns++);
    const hub = madeHub({ now: () => nowMs += 5, delay });
    const other = smart(chunk(1, 1000, "other"));
    for (let i = 0; i < 5; i++) hub.write(Array.from({ length: 1000 }, () => other));
    hub.write([smart(chunk(2, 1000, "rec"))]);
    const viewer = hub.join({ recording: "rec" });
    assertEquals(ids(await viewer.next(1024) ?? []), ["2"]);
    assert(turns >= 5, `${turns}`);
    viewer.close("left");
  });

  it("starts at now without history", async () => {
    const hub = madeHub();
    hub.write([smart(chunk(1, 10))]);
    const viewer = hub.join({ history: "none" });
    hub.write([smart(chunk(2, 10))]);
    assertEquals(ids(await taken(viewer)), ["2"]);
  });

  it("gives one recording with the blueprints of its application", async () => {
    const hub = madeHub();
    const msgs = [
      announcement("a", { applicationId: "robot" }),
      announcement("b", { applicationId: "drone" }),
      announcement("robot's", { kind: "Blueprint", applicationId: "robot" }),
      announcement("drone's", { kind: "Blueprint", applicationId: "drone" }),
      chunk(1, 10, "a"),
      chunk(2, 10, "b"),
    ];
    hub.write(msgs.map((msg) => smart(msg)));
    const viewer = hub.join({ recording: "a" });
    assertEquals(ids(await taken(viewer)), ["a", "robot's", "1"]);
    hub.write([chunk(3, 10, "b"), chunk(4, 10, "a")].map((msg) => smart(msg)));
    assertEquals(ids(await taken(viewer)), ["4"]);
  });

  it("gives one recording of many the blueprints of its client alone", async () => {
    const hub = madeHub();
    const programs = [1, 2, 3].map((i) => {
      const client = new SdkClient(i);
      return { client, steps: [...client.blueprint(`b${i}`), client.announces(`r${i}`)] };
    });
    hub.write(programs.flatMap(({ client, steps }, i) => [...steps, client.logs(`r${i + 1}`)]));
    const seen = async (recording: string) =>
      [...await taken(hub.join({ recording, order: "arrival" }))].map((msg) => storeOf(msg)!.id);
    assertEquals(await seen("r1"), ["b1", "b1", "b1", "r1", "r1"]);
    assertEquals(await seen("r3"), ["b3", "b3", "b3", "r3", "r3"]);
    // A program that logs nothing lays out all of them, live and for those who come late.
    const live = hub.join({ recording: "r2", history: "none" });
    hub.write(new SdkClient(9).blueprint("all"));
    assertEquals((await taken(live)).map((msg) => storeOf(msg)!.id), ["all", "all", "all"]);
    hub.write([new SdkClient(9).quits(), ...programs.map(({ client }) => client.quits())]);
    assertEquals(await seen("r2"), ["r2", "r2", "all", "all", "all"]);
    // One without a blueprint gets the latest.
    hub.write([new SdkClient(10).announces("r4")]);
    assertEquals(await seen("r4"), ["all", "all", "all", "r4"]);
  });

  it("drops the oldest chunks above the limit, and nothing that the rest needs", async () => {
    const hub = madeHub({ limitBytes: 3 * MiB });
    const head = [
      announcement("rec"),
      staticChunk(1, "rec"),
      staticChunk(2, "rec"),
      staticChunk(3, "other"),
    ];
    hub.write(head.map((msg) => smart(msg)));
    for (let i = 1; i <= 10; i++) hub.write([smart(chunk(i, MiB / 2))]);
    const late = ids(await taken(hub.join()));
    assertEquals(late, ["rec", "static 2", "static 3", "6", "7", "8", "9", "10"]);
    const { history, heldBytes } = hub.stats;
    assert(heldBytes <= 3 * MiB);
    assertEquals(history.evicted.messages, 6);
    assertEquals(history.evictedProtected.messages, 0);
  });

  it("keeps static data that was replaced as long as there is room", async () => {
    const hub = madeHub();
    hub.write([1, 2, 3].map((i) => smart(staticChunk(i, "rec"))));
    assertEquals(ids(await taken(hub.join())), ["static 1", "static 2", "static 3"]);
  });

  it("drops even what should stay where that alone is above the limit, and says so", () => {
    const log = keptLog();
    const hub = madeHub({ limitBytes: 64 * 1024, log });
    for (let i = 0; i < 1000; i++) hub.write([smart(announcement(`rec ${i}`))]);
    assert(hub.stats.heldBytes <= 64 * 1024);
    assert(hub.stats.history.evictedProtected.messages > 900);
    assertEquals(log.of("warn").length, 1);
    assert(log.of("warn")[0]!.includes("--server-memory-limit"));
  });

  it("lets a viewer that takes little fall behind as far as the log goes, and waits for no one", async () => {
    const hub = madeHub({ viewerQueueBytes: 1000 });
    const slow = hub.join();
    const quick = hub.join();
    await taken(slow);
    for (let i = 1; i <= 50; i++) {
      hub.write([smart(chunk(i, 300_000))]);
      assertEquals(ids(await taken(quick)), [`${i}`]);
    }
    assertEquals(hub.stats.viewers[0]!.backlog.messages, 49);
    assertEquals(ids(await taken(slow, 1)), Array.from({ length: 50 }, (_, i) => `${i + 1}`));
    const { viewers, gone } = hub.stats;
    assertEquals(viewers.map(({ skipped }) => skipped.messages), [0, 0]);
    assertEquals(gone, { left: 0, stalled: 0, closed: 0, failed: 0 });
  });

  it("lets a viewer whose next messages are gone skip to the oldest kept, and tells it once", async () => {
    const log = keptLog();
    const hub = madeHub({ limitBytes: 1_000_000, log });
    const behind = hub.join({ history: "none", addr: "10.0.0.7:1" });
    for (let i = 1; i <= 100; i++) hub.write([smart(chunk(i, 100_000))]);
    const kept = hub.stats.history.messages;
    assert(kept >= 8 && kept < 10);
    assertEquals(hub.stats.viewers[0]!.backlog.messages, kept);
    const given = ids(await taken(behind));
    assertEquals(given, Array.from({ length: kept }, (_, i) => `${101 - kept + i}`));
    assertEquals(hub.stats.viewers[0]!.skipped.messages, 100 - kept);
    assertEquals(behind.gone, undefined);
    assertEquals(log.of("warn").length, 1);
    assert(log.of("warn")[0]!.includes("10.0.0.7:1"), log.of("warn")[0]);
    hub.write([smart(chunk(101, 10))]);
    assertEquals(ids(await taken(behind)), ["101"]);
  });

  it("lets the viewer furthest behind skip to the newest where others keep too much alive", async () => {
    const hub = madeHub({ limitBytes: 4 * MiB });
    const [a, b, last] = [1, 2, 3].map(() => hub.join()) as [Viewer, Viewer, Viewer];
    const give = (from: number, to: number) => {
      for (let i = from; i <= to; i++) hub.write([smart(chunk(i, 1_000_000))]);
    };
    give(1, 3);
    for (const [viewer, count] of [[a, 1], [b, 2]] as const) {
      for (let i = 0; i < count; i++) await viewer.next(1);
    }
    give(4, 9);
    // Two messages that the log has no more are a quarter of the limit, and not yet the half.
    assert(hub.stats.heldBytes <= 4 * MiB && hub.stats.history.messages === 2);
    assertEquals(ids(await last.next(1) ?? []), ["9"]);
    assertEquals(hub.stats.viewers[2]!.skipped.messages, 8);
    // Who lets go of one takes the oldest that is kept.
    assertEquals(ids(await b.next(1) ?? []), ["8"]);
    assertEquals(hub.stats.viewers[1]!.skipped.messages, 5);
    a.close("left");
    b.close("left");
    give(10, 10);
    assertEquals(ids(await last.next(1) ?? []), ["10"]);
  });

  it("lets none take more where they keep alive the half of what may be held", async () => {
    const hub = madeHub({ limitBytes: 4 * MiB });
    const slow = [1, 2, 3].map(() => hub.join());
    const good = hub.join({ history: "none" });
    for (let i = 1; i <= 9; i++) {
      hub.write([smart(chunk(i, 1_000_000))]);
      await slow[i - 1]?.next(1);
      for (const viewer of slow.slice(i)) await viewer.next(1);
    }
    assert(hub.stats.heldBytes <= 4 * MiB + 1_100_000, `${hub.stats.heldBytes}`);
    assertEquals(await taken(good), []);
    assertEquals(hub.stats.viewers[3]!.skipped.messages, 9);
    for (const viewer of slow) viewer.close("left");
    hub.write([smart(chunk(10, 1_000_000))]);
    assertEquals(ids(await taken(good)), ["10"]);
  });

  it("ends with what is there where that is asked for", async () => {
    const hub = madeHub();
    hub.write([1, 2, 3].map((i) => smart(chunk(i, 100))));
    const viewer = hub.join({ until: "now" });
    hub.write([4, 5].map((i) => smart(chunk(i, 100))));
    assertEquals(ids(await viewer.next(1) ?? []), ["1", "2", "3"]);
    assertEquals(await viewer.next(1), undefined);
    assertEquals(await madeHub().join({ until: "now" }).next(1), undefined);
  });

  it("gives a viewer that is behind what it would have been given at once", async () => {
    const hub = madeHub();
    const behind = hub.join({ history: "none" });
    const only = hub.join({ history: "none", recording: "b" });
    const all: LogMsg[] = [];
    for (let i = 1; i <= 200; i++) {
      const msgs = [chunk(2 * i, 50_000, "a"), chunk(2 * i + 1, 500, "b")];
      if (i % 50 === 0) msgs.push(announcement(`rec ${i}`));
      all.push(...msgs);
      hub.write(msgs.map((msg) => smart(msg)));
    }
    assertEquals(ids(await taken(behind)), ids(all));
    const own = all.filter((msg) => msg.kind === "ArrowMsg" && msg.storeId.id === "b");
    assertEquals(ids(await taken(only)), ids(own));
    hub.write([smart(chunk(1000, 10, "b"))]);
    assertEquals([ids(await taken(behind)), ids(await taken(only))], [["1000"], ["1000"]]);
    const { viewers, heldBytes } = hub.stats;
    assertEquals(viewers.map(({ backlog }) => backlog.bytes), [0, 0]);
    assertEquals(viewers.map(({ backlog }) => backlog.messages), [0, 0]);
    // 10 MB of history, and at most 8 MiB of it once more, decoded.
    assert(heldBytes < 19_500_000, `${heldBytes}`);
  });

  it("keeps no read buffer alive for a small message", () => {
    const hub = madeHub();
    const whole = chunk(1, MiB);
    const view = whole.encoded.bytes.subarray(0, 100);
    const small = { ...announcement("rec"), encoded: { ...whole.encoded, bytes: view } } as LogMsg;
    hub.write([smart(small)]);
    assert(hub.stats.heldBytes < 10_000);
  });

  it("counts a buffer that messages share once", () => {
    const hub = madeHub();
    const whole = chunk(1, MiB);
    const parts = [0, 1].map((i): LogMsg => {
      const bytes = whole.encoded.bytes.subarray(i * MiB / 2, (i + 1) * MiB / 2);
      const { storeId, chunkId, timepointMax, isStatic, arrow } = chunk(i, 10) as ArrowMsg;
      const encoded = { ...whole.encoded, bytes };
      return new ArrowMsg(storeId, chunkId, timepointMax, isStatic, arrow, encoded);
    });
    hub.write(parts.map((msg) => smart(msg)));
    assert(hub.stats.heldBytes < MiB + 10_000);
  });

  it("knows recordings, and which are live", () => {
    let clock = 1000;
    const hub = madeHub({ date: () => clock });
    hub.write([smart(announcement("a"), 1), smart(chunk(1, 10, "b"), 2)]);
    clock = 2000;
    hub.write([smart(chunk(2, 10, "a"), 1), { ...QUIT, source: { kind: "tcp-client", id: 2 } }]);
    const [a, b] = hub.recordings;
    assertEquals(
      [a?.id, a?.applicationId, a?.sdk, a?.source],
      ["a", "app", "0.22.1", "Python 3.11.7"],
    );
    assertEquals([a?.firstMs, a?.lastMs, a?.messages, a?.bytes, a?.live], [
      1000,
      2000,
      2,
      300 + chunk(2, 10, "a").encoded.bytes.length,
      true,
    ]);
    assertEquals([b?.id, b?.applicationId, b?.live], ["b", "", false]);
  });

  it("remembers at most 10,000 recordings", () => {
    const hub = madeHub({ limitBytes: MiB });
    for (let i = 0; i < 10_010; i++) hub.write([smart(announcement(`rec ${i}`))]);
    const { length } = hub.recordings;
    assert(length > 9000 && length <= 10_000, `${length}`);
    assertEquals(hub.recordings[0]?.id, "rec 10009");
    // Nor more of a name than its beginning.
    hub.write([smart(announcement("x".repeat(100_000)))]);
    assertEquals(hub.recordings[0]?.id, "x".repeat(1024));
  });

  it("keeps no more of long names than people read, and still finds the recording", async () => {
    const hub = madeHub();
    const id = "r".repeat(500_000);
    hub.write([smart(announcement(id)), smart(chunk(1, 10, id))]);
    const [recording] = hub.recordings;
    assertEquals(recording?.id.length, 1024);
    assertEquals((await taken(hub.join({ recording: recording!.id }))).length, 2);
  });

  it("notices the end of the last recordings of a client that logs to many", () => {
    const hub = madeHub();
    for (let i = 0; i < 300; i++) hub.write([smart(announcement(`rec ${i}`), 7)]);
    assertEquals(hub.recordings[0]?.live, true);
    hub.write([{ ...QUIT, source: { kind: "tcp-client", id: 7 } }]);
    assertEquals(hub.recordings.filter(({ live }) => live), []);
  });

  it("makes a frame once for all viewers, and counts what has none once", () => {
    const hub = madeHub();
    const msg = chunk(1, 100);
    assert(hub.frame(msg) === hub.frame(msg));
    const unknown: LogMsg = { kind: "UnknownMsg", name: "New", encoded: msg.encoded };
    assertEquals([hub.frame(unknown), hub.frame(unknown)], ["unknownKind", "unknownKind"]);
    const large = chunk(2, 65 * MiB);
    assert(hub.frame(large) === "tooLarge");
    assertEquals(hub.stats.leftOut, { tooLarge: 1, unknownKind: 1, unreadable: 0 });
  });

  it("keeps corrupt Arrow data from viewers, and counts it", async () => {
    const hub = viewerHub();
    const msgs = captured("0.22.1-mixed");
    for (const msg of msgs) {
      if (msg.kind === "ArrowMsg" && msg.chunkId!.inc % 2n === 0n) msg.arrow.bytes.fill(255, 0, 40);
    }
    hub.write(msgs.map((msg) => smart(msg)));
    const given = await taken(hub.join());
    const { unreadable } = hub.stats.leftOut;
    assertEquals(given.length + unreadable, msgs.length);
    assert(unreadable > 10 && given.length > 10);
    assert(given.every((msg) => typeof hub.frame(msg) !== "string"));
  });

  it("refuses viewers above the limit, until one leaves", () => {
    const hub = madeHub({ maxViewers: 1 });
    const first = hub.join();
    assertThrows(() => hub.join(), TooManyViewers, "--max-viewers");
    first.close("left");
    hub.join();
    assertEquals([hub.stats.joined, hub.stats.refused, hub.stats.gone.left], [2, 1, 1]);
  });

  it("gives what waits when it closes, then ends", async () => {
    const hub = madeHub();
    const viewer = hub.join({ history: "none" });
    hub.write([smart(chunk(1, 10))]);
    const closed = hub.close();
    assertEquals(ids(await viewer.next(100) ?? []), ["1"]);
    assertEquals(await viewer.next(100), undefined);
    viewer.close("closed");
    await closed;
    assertThrows(() => hub.join(), HubClosed);
  });

  it("has what today's form was made by collected, not only what is received", () => {
    let collected = 0;
    const hub = madeHub({ limitBytes: 512 * 1024, collectGarbage: () => collected++ });
    const small = () =>
      captured("0.22.1-mixed").filter(({ encoded }) => encoded.bytes.length < 16 * 1024);
    const old = small();
    hub.write(captured("0.22.1-mixed").map((msg) => smart(msg)));
    const before = collected;
    const bytes = old.reduce((sum, { encoded }) => sum + encoded.bytes.length, 0);
    let rounds = 0;
    // More than is kept of it: each is made anew.
    for (let made = 0; made < 8 * MiB; made += bytes, rounds++) {
      for (const msg of small()) hub.current(msg);
    }
    assert(rounds > 1 && collected > before, `${collected - before} in ${rounds} rounds`);
  });

  it("has nothing collected for large data of today's form, which needs no memory", () => {
    let collected = 0;
    const hub = madeHub({ limitBytes: 128 * 1024, collectGarbage: () => collected++ });
    // Much beside the limit: whatever takes memory has it collected.
    hub.write(captured("0.22.1-mixed").map((msg) => smart(msg)));
    const ipc = concat(bridgedChunk(["rerun.components.Scalar"]).ipc(), new Uint8Array(MiB));
    const before = collected;
    let bytes = 0;
    for (let i = 0; i < 64; i++) bytes += lengthOf(hub.current(chunkOf(ipc)).encoded);
    assert(bytes > 64 * MiB);
    assertEquals(collected, before);
  });

  it("does not wait for a viewer that takes nothing when it closes", async () => {
    const hub = madeHub({ delay: () => Promise.resolve() });
    const viewer = hub.join();
    await hub.close();
    assertEquals(viewer.gone, "closed");
  });
});
