import { assert } from "@std/assert";
import { describe, it } from "node:test";
import { Pace } from "../../../lib/viewers/log/pace.ts";

const STEP_MS = 5;
const SLICE_BYTES = 256 * 1024;

interface Link {
  /** Bytes a second. */
  readonly rate: (ms: number) => number;
  /** What sockets hold before the server's is full. */
  readonly socketBytes: number;
  readonly liveRate: number;
  readonly seconds: number;
}

/** A viewer that is filled in over a link: how late live data is, and how much of history came. */
function play({ rate, socketBytes, liveRate, seconds }: Link) {
  const pace = new Pace(0);
  let [queued, live, filled] = [0, 0, 0];
  let isGiven = false;
  const lates: { ms: number; lateMs: number }[] = [];
  for (let ms = 0; ms < seconds * 1000; ms += STEP_MS) {
    queued = Math.max(0, queued - rate(ms) * STEP_MS / 1000);
    live += liveRate * STEP_MS / 1000;
    // As doors do: what was given is taken into the socket, then more is asked for.
    for (let i = 0; i < 1000; i++) {
      if (isGiven && queued > socketBytes) break;
      if (isGiven) pace.asks(ms);
      isGiven = false;
      const isLive = live > 20_000;
      if (!isLive && pace.pauseMs(ms) > 0) break;
      const bytes = isLive ? live : SLICE_BYTES;
      if (isLive) live = 0;
      else filled += bytes;
      queued += bytes;
      pace.gave(bytes, ms);
      isGiven = true;
      if (isLive) lates.push({ ms, lateMs: queued / rate(ms) * 1000 });
    }
  }
  const late = (fromSec: number, share: number) => {
    const sorted = lates.filter(({ ms }) => ms >= fromSec * 1000).map(({ lateMs }) => lateMs)
      .sort((a, b) => a - b);
    return sorted[Math.floor((sorted.length - 1) * share)]!;
  };
  return { first: lates[0]!.lateMs, late, filled };
}

describe("the pace of history", () => {
  for (const rate of [1e6, 2e6, 5e6]) {
    it(`leaves a link of ${rate / 1e6} MB/s to what comes live, and uses the rest`, () => {
      const liveRate = rate / 4;
      const socketBytes = 6e6;
      const { first, late, filled } = play({
        ...{ rate: () => rate, socketBytes, liveRate, seconds: 120 },
      });
      assert(first < 1500, `the first comes ${first} ms late`);
      const fullMs = socketBytes / rate * 1000;
      assert(late(15, 0.5) < fullMs * 0.4, `${late(15, 0.5)} of ${fullMs} ms`);
      assert(late(15, 0.9) < fullMs * 0.8, `${late(15, 0.9)} of ${fullMs} ms`);
      const share = filled / (120 * (rate - liveRate));
      assert(share > 0.6, `${share}`);
    });
  }

  it("is as quick as the link within seconds, where that is quick", () => {
    const { filled } = play({ rate: () => 100e6, socketBytes: 4e6, liveRate: 1e6, seconds: 10 });
    assert(filled > 200e6, `${filled}`);
  });

  it("recovers after a stall of the viewer, and finds that a link has become quicker", () => {
    const stalls = play({
      ...{ socketBytes: 6e6, liveRate: 0.5e6, seconds: 60 },
      rate: (ms) => ms > 10_000 && ms < 18_000 ? 1 : 2e6,
    });
    assert(stalls.filled > 0.5 * 52 * 1.5e6, `${stalls.filled}`);
    const quicker = play({
      ...{ socketBytes: 6e6, liveRate: 0.5e6, seconds: 120 },
      rate: (ms) => ms > 30_000 ? 20e6 : 2e6,
    });
    const slower = play({
      ...{ socketBytes: 6e6, liveRate: 0.5e6, seconds: 120 },
      rate: () => 2e6,
    });
    assert(quicker.filled > 3 * slower.filled, `${quicker.filled} and ${slower.filled}`);
  });
});
