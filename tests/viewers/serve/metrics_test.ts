import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { PacketTooLarge } from "../../../lib/base/limit_errors.ts";
import { Server } from "../../../lib/server/server.ts";
import { memoryTcp } from "../../../lib/adapters/tcp/memory_tcp.ts";
import { silentLog } from "../../../lib/base/log.ts";
import { METRICS_TYPE, metricsText } from "../../../lib/viewers/serve/metrics.ts";
import { statusJson } from "../../../lib/viewers/serve/status.ts";
import { chunk as oldChunk } from "../../bridge/chunks.ts";
import { captured, chunk, madeHub, smart } from "../messages.ts";

interface Family {
  type: string;
  help: string;
  samples: { labels: Record<string, string>; value: number }[];
}

/** Reads the text format by its grammar; throws at what Prometheus would refuse. */
function parse(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  assert(text.endsWith("\n"), "the last line must end");
  for (const line of text.slice(0, -1).split("\n")) {
    const [, word, name = "", rest = ""] = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line) ??
      [];
    if (word === "HELP") {
      assert(!families.has(name), `${name} stands twice`);
      families.set(name, { type: "", help: rest, samples: [] });
    } else if (word === "TYPE") {
      const family = families.get(name);
      assert(family && family.type === "" && family.samples.length === 0, line);
      assert(/^(counter|gauge|histogram|summary|untyped)$/.test(rest), line);
      family.type = rest;
    } else {
      const [, metric = "", labels = "", value = ""] =
        /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      const family = families.get(metric);
      assert(family, `a sample without its family: ${line}`);
      // Samples of a family stand together.
      assertEquals([...families.keys()].at(-1), metric);
      assert(/^[+-]?(\d+(\.\d*)?(e[+-]?\d+)?|Inf|NaN)$/i.test(value), line);
      family.samples.push({ labels: parseLabels(labels), value: Number(value) });
    }
  }
  for (const [name, { samples }] of families) {
    const keys = samples.map(({ labels }) => JSON.stringify(labels));
    assertEquals(new Set(keys).size, keys.length, `${name} has a sample twice`);
  }
  return families;
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  const one = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;
  while (one.lastIndex < text.length) {
    const [, name, value] = one.exec(text) ?? [];
    assert(name !== undefined, `labels ${text}`);
    labels[name] = value!.replaceAll(/\\(.)/g, (_, c) => c === "n" ? "\n" : c);
  }
  return labels;
}

describe("metrics", () => {
  it("lose nothing of what was counted of viewers when these leave", async () => {
    await using server = await Server.listen(memoryTcp(), { log: silentLog, port: 0 });
    const status = { stats: server.stats };
    let now = 0;
    const hub = madeHub({ limitBytes: 5000, now: () => now });
    const fresh = hub.join({ transport: "grpc", latencySec: 1 });
    const slow = hub.join({ transport: "http" });
    hub.write([smart(chunk(1, 1000))]);
    for (const viewer of [fresh, slow]) {
      await viewer.next(1e6);
      viewer.sent(1, 1000);
    }
    // More than is kept, so that both miss some of it.
    for (let i = 2; i < 20; i++) hub.write([smart(chunk(i, 1000))]);
    now = 5000;
    const samples = () => {
      const families = parse(
        metricsText(hub, status, { errors: 0, otherEncoding: 0, otherData: 0 }),
      );
      const all = Array.from(families).filter(([name]) => /^rerelay_viewers_.*_total$/.test(name));
      return all.map(([name, { samples }]) => [name, samples] as const);
    };
    const before = samples();
    const value = (name: string, transport: string) =>
      before.find(([family]) => family === `rerelay_viewers_${name}_total`)![1]
        .find(({ labels }) => labels["transport"] === transport)!.value;
    assertEquals(value("sent_bytes", "grpc"), 1000);
    assertEquals(value("sent_messages", "http"), 1);
    assertEquals(value("sent_messages", "websocket"), 0);
    assert(value("skipped_messages", "http") > 5 && value("skipped_messages", "grpc") > 5);
    for (const viewer of [fresh, slow]) viewer.close("left");
    const counts = (all: typeof before) => all.filter(([name]) => !name.includes("_gone_"));
    assertEquals(counts(samples()), counts(before));
    const next = hub.join({ transport: "http" });
    next.sent(2, 300);
    assertEquals(hub.stats.totals.http.sent, { messages: 3, bytes: 1300 });
    assertEquals(hub.stats.totals.grpc.sent, { messages: 1, bytes: 1000 });
  });

  it("are each explained by a text that needs no other, for Prometheus shows one alone", async () => {
    await using server = await Server.listen(memoryTcp(), { log: silentLog, port: 0 });
    const counts = { errors: 0, otherEncoding: 0, otherData: 0 };
    const families = parse(metricsText(madeHub(), { stats: server.stats }, counts));
    const helps = Array.from(families.values(), ({ help }) => help);
    assert(helps.length > 50);
    assertEquals(helps.filter((help, i) => helps.indexOf(help) !== i), []);
    const leaning = /\b(these|those|among)\b(?! (alone|that left))|^(Their|Refused|All)\b/;
    assertEquals(helps.filter((help) => leaning.test(help)), []);
  });

  it("are Prometheus' text format", async () => {
    await using server = await Server.listen(memoryTcp(), { log: silentLog, port: 0 });
    const hub = madeHub();
    hub.write([smart(chunk(1, 1000)), smart(chunk(2, 500))]);
    for (const msg of captured("0.17.0-mixed")) hub.current(msg);
    hub.current(chunk(9, 200));
    hub.current(oldChunk(["rerun.components.DisconnectedSpace"]));
    const viewer = hub.join({ transport: "http", history: "none" });
    const source = { kind: "tcp-client", id: 1 } as const;
    hub.write([
      smart(chunk(3, 700)),
      { source, payload: { type: "quit" }, time: 0 },
      { source, payload: { type: "quit", error: new PacketTooLarge(9, 8) }, time: 0 },
    ]);
    const status = {
      stats: {
        ...server.stats,
        connections: { open: 0, total: 9, refused: 2 },
        badArrow: { messages: 6, bytes: 66 },
        unfinishedBytes: 1234,
      },
      latencySec: 0.25,
      sinks: [
        { name: 'file "a\\b"\n.rrd', lost: { messages: 3, bytes: 30 }, failed: true },
        { name: "live viewers", lost: { messages: 0, bytes: 0 }, failed: false },
      ],
      files: { messages: 5, bytes: 55 },
    };
    const families = parse(metricsText(hub, status, { errors: 2, otherEncoding: 4, otherData: 5 }));
    const value = (name: string, labels: Record<string, string> = {}) =>
      families.get(`rerelay_${name}`)!.samples.find((sample) =>
        Object.entries(labels).every(([key, text]) => sample.labels[key] === text)
      )?.value;
    assertEquals(value("latency_seconds"), 0.25);
    assertEquals(value("history_messages"), 3);
    assert(value("history_bytes")! >= 2200);
    assertEquals(value("viewers", { transport: "http" }), 1);
    assertEquals(value("viewers", { transport: "websocket" }), 0);
    assert(value("viewer_backlog_bytes", { viewer: "1", transport: "http" })! >= 700);
    assertEquals(value("lost_messages_total", { sink: 'file "a\\b"\n.rrd' }), 3);
    assertEquals(value("sink_failed", { sink: "live viewers" }), 0);
    assertEquals(value("file_bytes_total"), 55);
    assertEquals(value("viewer_left_out_messages_total", { reason: "otherEncoding" }), 4);
    assertEquals(value("viewer_left_out_messages_total", { reason: "otherData" }), 5);
    assertEquals(value("bridged_messages_total"), captured("0.17.0-mixed").length + 1);
    assertEquals(value("bridge_damaged_messages_total"), 1);
    const spaces = { component: "rerun.components.DisconnectedSpace" };
    assertEquals(value("bridge_untagged_columns_total", spaces), 1);
    assertEquals(value("dropped_messages_total", { cause: "throttled" }), 0);
    assertEquals(value("dropped_bytes_total", { cause: "badArrow" }), 66);
    assertEquals(statusJson(hub, status, 0).dropped, { messages: 6, bytes: 66 });
    assertEquals(value("unfinished_bytes"), 1234);
    assertEquals(statusJson(hub, status, 0).unfinishedBytes, 1234);
    assertEquals(value("connections_refused_total"), 2);
    assertEquals(value("client_errors_total"), 1);
    assertEquals(value("http_errors_total"), 2);
    for (const [name, { type, help }] of families) {
      assertEquals(type, name.endsWith("_total") ? "counter" : "gauge");
      assert(help.length > 5);
    }
    viewer.close("left");
    assert(METRICS_TYPE.startsWith("text/plain; version=0.0.4"));
  });

  it("can be told of a hub alone", () => {
    parse(metricsText(madeHub(), {}, { errors: 0, otherEncoding: 0, otherData: 0 }));
  });
});
