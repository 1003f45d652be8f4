import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import { copyOut } from "../../../lib/flow/channel/copy_out.ts";
import type { JoinOptions, Viewer, ViewerHub } from "../../../lib/viewers/types.ts";
import { arrowMsg, concat, Entries, rrdHeader, rrdMessage } from "../../encoding/rrd_builder.ts";
import { announcement, madeHub, smart } from "../messages.ts";

/** A step of the simulation, in milliseconds. */
const STEP_MS = 5;
/** What a socket takes before it is full, in bytes. */
const SOCKET_BYTES = 64 * 1024;
const HEAVY_BYTES = 40_000;
const MiB = 2 ** 20;

/** A message of a frame, told from others by its number. */
function ofFrame(frame: number, number: number, data: number): LogMsg {
  const time = new Entries([[{ name: "frame", typ: "Sequence" }, frame]]);
  const message = rrdMessage(arrowMsg(time, { id: "rec", data, inc: BigInt(number) }));
  const [msg] = new RrdDecoder().push(concat(rrdHeader(), message)).items;
  return copyOut([msg!])[0]!;
}

interface Shown {
  readonly msg: LogMsg;
  readonly ageMs: number;
}

/** A viewer whose link takes so many bytes a second, and what it got. */
class LinkedViewer {
  readonly shown: Shown[] = [];
  readonly #viewer: Viewer;
  #socket: { bytes: number; msg: LogMsg }[] = [];
  #room = 0;
  #next: Promise<void> | undefined;

  constructor(
    hub: ViewerHub,
    readonly rate: (nowMs: number) => number,
    readonly sent: ReadonlyMap<bigint, number>,
    options: JoinOptions = {},
  ) {
    this.#viewer = hub.join({ latencySec: 2, ...options });
  }

  get stats() {
    return this.#viewer;
  }

  async step(nowMs: number): Promise<void> {
    this.#room += this.rate(nowMs) * STEP_MS / 1000;
    while (this.#socket.length > 0 && this.#socket[0]!.bytes <= this.#room) {
      const { bytes, msg } = this.#socket.shift()!;
      this.#room -= bytes;
      const at = msg.kind === "ArrowMsg" ? this.sent.get(msg.chunkId!.inc)! : nowMs;
      this.shown.push({ msg, ageMs: nowMs - at });
    }
    if (this.#socket.length === 0) this.#room = Math.min(this.#room, 1000);
    while (this.#socket.reduce((sum, { bytes }) => sum + bytes, 0) < SOCKET_BYTES) {
      const before = this.#socket.length;
      this.#next ??= this.#viewer.next(16 * 1024).then((msgs) => {
        this.#next = undefined;
        for (const msg of msgs ?? []) {
          this.#socket.push({ bytes: msg.encoded.bytes.length, msg });
        }
      });
      for (let i = 0; i < 6; i++) await Promise.resolve();
      if (this.#socket.length === before) break;
    }
  }
}

interface Scene {
  readonly seconds: number;
  /** Bytes a second. */
  readonly rate: (nowMs: number) => number;
  readonly options?: JoinOptions;
  /** Light messages a second. */
  readonly light?: number;
  readonly lightBytes?: number;
  /** When the viewer joins, in seconds. */
  readonly joinsAt?: number;
  readonly limitBytes?: number;
}

/** A camera of two pictures at 30 Hz, 2.4 MB/s, and plots at 10 Hz. */
async function play(scene: Scene) {
  const { seconds, rate, options, light = 10, lightBytes = 200, joinsAt = 0 } = scene;
  const { limitBytes = 100 * MiB } = scene;
  let nowMs = 0;
  const timers = new Set<{ readonly atMs: number; readonly fire: () => void }>();
  const delay = (ms: number) => new Promise<void>((fire) => timers.add({ atMs: nowMs + ms, fire }));
  const hub = madeHub({ now: () => nowMs, delay, limitBytes });
  hub.write([smart(announcement("rec"))]);
  const sent = new Map<bigint, number>();
  let viewer: LinkedViewer | undefined;
  let number = 0;
  const log = (frame: number, data: number) => {
    sent.set(BigInt(++number), nowMs);
    hub.write([smart(ofFrame(frame, number, data))]);
    return number;
  };
  const [heavy, lights] = [new Map<number, number>(), new Set<number>()];
  let [frames, plots] = [0, 0];
  for (; nowMs < (seconds + 3) * 1000; nowMs += STEP_MS) {
    if (nowMs >= joinsAt * 1000) viewer ??= new LinkedViewer(hub, rate, sent, options);
    const isOn = nowMs < seconds * 1000;
    if (isOn && nowMs >= frames * 1000 / 30) {
      frames++;
      for (let i = 0; i < 2; i++) heavy.set(log(frames, HEAVY_BYTES), frames);
    }
    while (isOn && nowMs >= plots * 1000 / light) {
      plots++;
      lights.add(log(1_000_000 + plots, lightBytes));
    }
    for (const timer of timers) {
      if (timer.atMs > nowMs) continue;
      timers.delete(timer);
      timer.fire();
    }
    await viewer?.step(nowMs);
  }
  if (viewer === undefined) throw new RangeError("The viewer never joined");
  const numbers = viewer.shown.flatMap(({ msg }) =>
    msg.kind === "ArrowMsg" ? [Number(msg.chunkId!.inc)] : []
  );
  const ages = viewer.shown.flatMap(({ msg, ageMs }) =>
    msg.encoded.bytes.length > 16 * 1024 ? [ageMs] : []
  ).sort((a, b) => a - b);
  const [stats] = hub.stats.viewers;
  return {
    numbers,
    frames,
    shownFrames: numbers.filter((number) => heavy.has(number)).map((number) => heavy.get(number)!),
    missedLight: [...lights].filter((light) => !numbers.includes(light)),
    p99: ages[Math.floor(ages.length * 0.99)] ?? 0,
    thinned: stats!.thinned!,
    shown: viewer.shown,
    sent,
    ageSec: stats!.ageSec,
  };
}

function assertWhole(shownFrames: readonly number[]): void {
  const counts = new Map<number, number>();
  for (const frame of shownFrames) counts.set(frame, (counts.get(frame) ?? 0) + 1);
  assertEquals([...counts].filter(([, count]) => count !== 2), []);
}

describe("a viewer on a slow link", () => {
  for (const rate of [0.2e6, 0.6e6, 1.5e6]) {
    it(`of ${rate / 1e6} MB/s is shown fresh frames, whole, and all plots`, async () => {
      const played = await play({ seconds: 20, rate: () => rate });
      assertWhole(played.shownFrames);
      assertEquals(played.missedLight, []);
      // What the socket holds comes on top.
      const most = 2500 + (SOCKET_BYTES + 2 * HEAVY_BYTES) / rate * 1000;
      assert(played.p99 <= most, `${played.p99} ms, at most ${most}`);
      // The link is used.
      const bytes = played.shownFrames.length * HEAVY_BYTES;
      assert(bytes > 0.7 * rate * 20, `${bytes} bytes`);
      const { shownFrames, leftOutFrames, heavy, light } = played.thinned;
      assertEquals(shownFrames * 2, played.shownFrames.length);
      assertEquals(leftOutFrames, played.frames - shownFrames);
      assertEquals(heavy.messages, 2 * leftOutFrames);
      assertEquals(light, { messages: 0, bytes: 0 });
      assertEquals(played.ageSec, 0);
    });
  }

  for (const history of ["newest-first", "all"] as const) {
    const rate = 0.6e6;
    const [joinsAt, limitBytes] = [30, 12 * MiB];
    it(`is soon shown fresh pictures and all plots where it joins late (history: ${history})`, async () => {
      const played = await play({
        ...{ seconds: 60, rate: () => rate, joinsAt, limitBytes },
        options: { history, order: "kinds" },
      });
      assertWhole(played.shownFrames.filter((frame) => frame > joinsAt * 30));
      const live = played.shown.flatMap(({ msg, ageMs }) => {
        const atMs = msg.kind === "ArrowMsg" ? played.sent.get(msg.chunkId!.inc)! : 0;
        const isLive = msg.encoded.bytes.length > HEAVY_BYTES && atMs >= joinsAt * 1000;
        return isLive ? [{ ageMs, shownMs: atMs + ageMs - joinsAt * 1000 }] : [];
      });
      const most = 2500 + (SOCKET_BYTES + 2 * HEAVY_BYTES) / rate * 1000;
      const late = live.filter(({ ageMs }) => ageMs > most);
      assertEquals(late, []);
      const first = Math.min(...live.map(({ shownMs }) => shownMs));
      // In the order of arrival history comes before it: about half of the five seconds that are kept.
      const [from, to] = history === "all" ? [2000, 4000] : [0, 500];
      assert(from <= first && first < to, `the first after ${first} ms`);
      // Plots since it joined are missed by nobody.
      const since = played.missedLight.filter((light) => played.sent.get(BigInt(light))! >= 30_000);
      assertEquals(since, []);
    });
  }

  it("is given pictures of history where the link has room, though the log drops some at once", async () => {
    const [joinsAt, limitBytes] = [10, 12 * MiB];
    const played = await play({ seconds: 15, rate: () => 10e6, joinsAt, limitBytes });
    const past = played.shownFrames.filter((frame) => frame <= joinsAt * 30);
    // 2.4 MB a second came, and all but what was dropped meanwhile is shown.
    assert(past.length * HEAVY_BYTES > 0.7 * limitBytes, `${past.length} pictures`);
    assertEquals(played.shownFrames.length - past.length, 2 * (played.frames - joinsAt * 30));
  });

  it("is given everything where the link has room for it", async () => {
    const played = await play({ seconds: 10, rate: () => 10e6 });
    assertEquals(played.shownFrames.length, 2 * played.frames);
    assertEquals(played.thinned.leftOutFrames, 0);
  });

  it("is shown all plots after a stall of eight seconds, and fresh frames", async () => {
    const rate = (nowMs: number) => nowMs % 20_000 > 8000 && nowMs % 20_000 < 16_000 ? 0 : 3e6;
    const played = await play({ seconds: 25, rate });
    assertWhole(played.shownFrames);
    assertEquals(played.missedLight, []);
    assertEquals(played.thinned.light.messages, 0);
    const late = played.shownFrames.filter((frame) => frame > 30 * 18);
    // Nothing stays behind once there is room.
    assertEquals(late.length, 2 * (played.frames - 30 * 18));
  });

  it("is given everything where it asks for that, however late", async () => {
    const played = await play({
      seconds: 1,
      rate: () => 1e6,
      options: { latencySec: Infinity },
    });
    assertEquals(played.shownFrames.length, 2 * played.frames);
    assertEquals(played.thinned, undefined as never);
  });

  it("is left out light messages as well where these alone are too much, and told so", async () => {
    const played = await play({ seconds: 25, rate: () => 20_000, light: 100, lightBytes: 1000 });
    assert(played.thinned.light.messages > 100, `${played.thinned.light.messages}`);
    assertEquals(played.missedLight.length, played.thinned.light.messages);
    assert(played.ageSec < 3, `${played.ageSec}`);
  });
});
