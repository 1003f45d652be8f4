import { describe, it } from "node:test";
import { assertEquals, assertLess } from "@std/assert";
import { forgetOldest } from "../lib/base/forget_oldest.ts";
import { clientLines } from "../lib/cli/host/client_lines.ts";
import { RrdDecoder } from "../lib/encoding/rrd/rrd_decoder.ts";
import { MAX_TIMELINES, TimelineGates } from "../lib/flow/throttle/_timeline_gates.ts";
import { TcpClientSource } from "../lib/flow/channel/smart_message.ts";
import type { LogMsg } from "../lib/encoding/log_msg.ts";
import { silentLog } from "../lib/base/log.ts";
import { StoreMemory } from "../lib/stores/store_memory.ts";
import { concat, rrdHeader, rrdMessage, setStoreInfo } from "./encoding/rrd_builder.ts";

const [ANNOUNCEMENT] = new RrdDecoder().push(concat(rrdHeader(), rrdMessage(setStoreInfo()))).items;

/** Announcements of so many recordings, each of its own application, made one by one. */
function* announcements(count: number): Generator<Extract<LogMsg, { kind: "SetStoreInfo" }>> {
  const base = ANNOUNCEMENT as Extract<LogMsg, { kind: "SetStoreInfo" }>;
  for (let i = 0; i < count; i++) {
    const storeId = { kind: i % 8 ? "Recording" : "Blueprint", id: `recording ${i}` } as const;
    yield { ...base, info: { ...base.info, applicationId: `app ${i}`, storeId } };
  }
}

describe("forgetOldest", () => {
  it("leaves a map alone that is not too large, and takes out the oldest else", () => {
    const map = new Map(Array.from({ length: 32 }, (_, i) => [i, -i]));
    assertEquals(forgetOldest(map, 32), []);
    map.set(32, 0);
    assertEquals(forgetOldest(map, 32).map(([key]) => key), [0, 1, 2]);
    assertEquals([map.size, map.has(3), map.has(32)], [30, true, true]);
  });

  it("passes over what may not go", () => {
    const map = new Map([["a", true], ["b", false], ["c", true], ["d", true]]);
    assertEquals(forgetOldest(map, 2, (mayGo) => mayGo).map(([key]) => key), ["a", "c"]);
  });
});

describe("tables whose keys peers choose, after 25,000 of them", { timeout: 60_000 }, () => {
  it("store memory", () => {
    const memory = new StoreMemory(2 ** 20);
    const kept = (msg: LogMsg) => msg.encoded as LogMsg["encoded"];
    let last;
    const start = performance.now();
    for (const msg of announcements(25_000)) {
      last = memory.storeOf(msg)!;
      memory.remember(last, msg, kept(msg));
    }
    assertLess(performance.now() - start, 20_000);
    assertLess(memory.size, 10_001);
    assertEquals(last!.info!.applicationId, "app 24999");
  });

  it("recordings of log lines, and the timelines of a client", async () => {
    const lines = clientLines(silentLog, "info");
    const source = new TcpClientSource(1, undefined);
    const gates = new TimelineGates("corrected", () => 0.5);
    for (const msg of announcements(25_000)) {
      await lines.write([{ source, payload: { type: "msg", msg }, time: 0 }]);
      gates.get(msg.info.storeId, `timeline ${msg.info.storeId.id}`);
    }
    assertEquals(lines.total.messages, 25_000);
    assertLess(lines.remembered, 10_001);
    assertLess(gates.size, MAX_TIMELINES + 1);
  });
});
