import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { RateMeter } from "../../../lib/cli/host/rates.ts";
import { statusLine } from "../../../lib/cli/host/status_line.ts";

const figures = (throttled = 0, overflow = 0) => ({
  connections: { open: 2 },
  messages: 1_234_567,
  bytes: 505_000_000,
  dropped: {
    throttled: { messages: throttled, bytes: 0 },
    overflow: { messages: overflow, bytes: 0 },
  },
});
const rates = { messagesPerSec: 12_345.6, bytesPerSec: 98_060_000 };

describe("statusLine", () => {
  it("shows all figures", () => {
    assertEquals(
      statusLine(figures(), rates, 0.012, 0, 120, false),
      "2 clients | 12,346 msg/s | 98.1 MB/s | total 1,234,567 msg, 505 MB | latency 12 ms | dropped 0",
    );
  });

  it("is never as wide as the terminal, and keeps what was dropped or lost", () => {
    for (let columns = 1; columns < 130; columns++) {
      const line = statusLine(figures(3, 4), rates, 1.5, 9, columns, false);
      assert(line.endsWith("dropped 7 | LOST 9"));
      assert(line.length < columns || line === "dropped 7 | LOST 9", `${columns}: ${line}`);
    }
    assertEquals(statusLine(figures(), rates, 0, 0, 12, false), "2 clients");
  });

  it("shows the accept rate while frames are dropped", () => {
    const dropping = { ...figures(3), acceptRate: 0.583 };
    const line = statusLine(dropping, rates, 0.3, 0, 120, false);
    assert(line.endsWith("latency 300 ms | accepting 58 % | dropped 3"), line);
    assert(!statusLine({ ...figures(3), acceptRate: 1 }, rates, 0, 0, 120, false).includes("%"));
  });

  it("tells what waits to be forwarded, and since when a target takes nothing", () => {
    const NONE = { messages: 0, bytes: 0 };
    const fine = { lagBytes: 1_500_000, lagSec: 0.25, outageSec: 0, dropped: NONE, refused: NONE };
    const line = (...forwarding: readonly object[]) =>
      statusLine({ ...figures(), forwarding: forwarding as [] }, rates, 0, 0, 200, false);
    assert(line(fine).endsWith("forward 1.50 MB, 250 ms behind | dropped 0"), line(fine));
    const down = { ...fine, outageSec: 12, lastAckMs: Date.UTC(2026, 0, 2, 3, 4, 5) };
    assert(
      line(fine, down).endsWith("forward down 12.0 s, last acknowledged 03:04:05Z"),
      line(down),
    );
    const never = { ...fine, outageSec: 12 };
    assert(line(never).endsWith("forward down 12.0 s, nothing acknowledged yet"), line(never));
  });

  it("tells how many boxes send by NATS, and that it is out of reach", () => {
    const nats = { boxes: 1200, live: 1180, ageSec: 0.3, outageSec: 0 };
    const line = (outageSec: number) =>
      statusLine({ ...figures(), nats: { ...nats, outageSec } }, rates, 0, 0, 200, false);
    assert(line(0).endsWith("1,180 of 1,200 boxes live, 300 ms behind | dropped 0"), line(0));
    assert(line(75).endsWith("NATS down 1 min 15 s"), line(75));
  });

  it("marks losses in colour without counting the colour as width", () => {
    const plain = statusLine(figures(1), rates, 0, 0, 100, false);
    const colored = statusLine(figures(1), rates, 0, 0, 100, true);
    assert(colored.includes("\x1b[33mdropped 1\x1b[0m"));
    // deno-lint-ignore no-control-regex
    assertEquals(colored.replaceAll(/\x1b\[\d+m/g, ""), plain);
  });
});

describe("RateMeter", () => {
  it("is the mean over its window, and falls to zero when nothing comes", () => {
    const meter = new RateMeter(1000);
    const at = (time: number, messages: number) => {
      const { messagesPerSec, bytesPerSec } = meter.rates({ time, messages, bytes: messages * 10 });
      assertEquals(bytesPerSec, messagesPerSec * 10);
      return messagesPerSec;
    };
    assertEquals(at(0, 0), 0);
    assertEquals(at(500, 100), 200);
    assertEquals(at(1000, 200), 200);
    assertEquals(at(1500, 400), 300);
    assertEquals(at(2000, 400), 200);
    assertEquals(at(2500, 400), 0);
    assertEquals(at(2500, 400), 0);
  });

  it("holds no more samples than its window needs", () => {
    const meter = new RateMeter(1000);
    // 250 ms apart: the mean must forget the burst at the start after the window.
    meter.rates({ time: 0, messages: 1_000_000, bytes: 0 });
    for (let time = 250; time <= 3_600_000; time += 250) {
      meter.rates({ time, messages: 1_000_000, bytes: 0 });
    }
    assertEquals(meter.size <= 6, true);
  });
});
