import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { CongestionManager } from "../../../lib/flow/throttle/congestion_manager.ts";
import { ThrottleStream } from "../../../lib/flow/throttle/throttle_stream.ts";
import { capturePackets } from "../../fixtures.ts";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";

function batches(): LogMsg[][] {
  const decoder = new RrdDecoder();
  return capturePackets("0.22.1-mixed").map((packet) => decoder.decodePacket(packet).items);
}

async function passed(throttle: ThrottleStream): Promise<LogMsg[]> {
  return (await Array.fromAsync(ReadableStream.from(batches()).pipeThrough(throttle))).flat();
}

describe("a throttle as a stream", () => {
  const all = batches().flat();
  let now = 0;
  /** One that is told of each latency a second after the one before. */
  const congestion = () =>
    new CongestionManager({ maxLatencySec: 0.2, now: () => now += 1000, random: () => 0.5 });

  it("lets all pass where no queue is behind", async () => {
    assertEquals((await passed(new ThrottleStream(congestion()))).length, all.length);
  });

  it("drops frames, but never what has no time, while the queue behind is late", async () => {
    const msgs = await passed(new ThrottleStream(congestion(), { latencySec: 60, filled: 1 }));
    const kept = msgs.filter((msg) => msg.kind !== "ArrowMsg" || msg.timepointMax?.length === 0);
    const timeless = all.filter((msg) => msg.kind !== "ArrowMsg" || msg.timepointMax?.length === 0);
    assertEquals(kept.length, timeless.length);
    assertEquals(msgs.length < all.length, true);
  });
});
