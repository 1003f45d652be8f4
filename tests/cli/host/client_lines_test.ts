import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { clientLines } from "../../../lib/cli/host/client_lines.ts";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import type { SmartMessage } from "../../../lib/flow/channel/smart_message.ts";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import { capturePackets } from "../../fixtures.ts";
import { header, keptLog } from "../../sinks/messages.ts";

const from = (id: number, time: number, msg: LogMsg): SmartMessage => ({
  source: { kind: "tcp-client", id, addr: { hostname: "127.0.0.1", port: 5000 + id } },
  payload: { type: "msg", msg },
  time,
});

const left = (id: number, time: number, error?: Error): SmartMessage => ({
  source: { kind: "tcp-client", id, addr: { hostname: "127.0.0.1", port: 5000 + id } },
  payload: error ? { type: "quit", error } : { type: "quit" },
  time,
});

function capture(name: string): LogMsg[] {
  const decoder = new RrdDecoder();
  return capturePackets(name).flatMap((packet) => decoder.decodePacket(packet).items);
}

/** A store's announcement, as if decoded. */
const [STORE_INFO] = capture("0.22.1-mixed");

function announcement(recording: string, applicationId: string): LogMsg {
  const msg = STORE_INFO!;
  assert(msg.kind === "SetStoreInfo");
  const storeId = { kind: "Recording", id: recording } as const;
  return { ...msg, info: { ...msg.info, storeId, applicationId } };
}

describe("clientLines", () => {
  it("says what each client logs, and how much it was", async () => {
    const log = keptLog();
    const lines = clientLines(log, "info");
    const messages = capture("0.22.1-mixed");
    await lines.write(messages.map((msg, i) => from(1, 1000 + i, msg)));
    await lines.write([left(1, 2500)]);
    const bytes = messages.reduce((sum, msg) => sum + msg.encoded.bytes.length, 0);
    assertEquals(lines.total, { messages: 34, bytes });
    assertEquals(log.lines, [
      [
        "info",
        'tcp://127.0.0.1:5001 logs recording "rec-mixed" of application "rerun_example_capture", ' +
        "Rerun SDK 0.22.1",
      ],
      ["info", "tcp://127.0.0.1:5001 left: 34 messages, 174 kB in 1.5 s"],
    ]);
  });

  it("knows the application again when an SDK reconnects without saying it", async () => {
    const log = keptLog();
    const lines = clientLines(log, "info");
    const messages = capture("0.22.1-mixed");
    const data = messages.filter((msg) => msg.kind === "ArrowMsg");
    await lines.write([from(1, 0, data[0]!), left(1, 1, new Error("reset"))]);
    await lines.write([from(2, 0, messages[0]!), left(2, 1)]);
    await lines.write([from(3, 0, data[0]!), left(3, 1)]);
    const said = log.of("info").filter((line) => line.includes("logs"));
    assertEquals(said.map((line) => line.includes("rerun_example_capture")), [false, true, true]);
    assert(log.of("info")[1]!.startsWith("tcp://127.0.0.1:5001 was closed: 1 message"));
  });

  it("takes blueprints for no recording, and probes for nobody", async () => {
    const log = keptLog();
    const lines = clientLines(log, "info");
    const blueprint = capture("0.22.1-blueprint").filter((msg) =>
      msg.kind === "SetStoreInfo" && msg.info.storeId.kind === "Blueprint"
    );
    assert(blueprint.length > 0);
    await lines.write([from(1, 0, blueprint[0]!), left(1, 0), left(2, 0)]);
    assertEquals(log.lines.map(([level]) => level), ["info", "debug"]);
    assert(!log.lines[0]![1].includes("logs recording"));
  });

  it("says once of each recording that another server sends it on, however often that connects", async () => {
    const log = keptLog();
    const lines = clientLines(log, "info");
    const send = async (source: SmartMessage["source"], ...recordings: string[]) => {
      const batch = recordings.map((id): SmartMessage => ({
        source,
        payload: { type: "msg", msg: announcement(id, "app") },
        time: 0,
      }));
      await lines.write([...batch, { source, payload: { type: "quit" }, time: 0 }]);
    };
    const addr = { hostname: "10.0.0.7", port: 5000 };
    const call = (id: number) => ({ kind: "grpc-client", id, addr, isForwarded: true }) as const;
    await send(call(1), "a", "b", "a");
    await send(call(2), "a");
    await send(call(3), "b", "c");
    const box = { kind: "nats-box", id: 4, box: "box-7" } as const;
    await send(box, "a", "a", "d", "a");
    await send({ ...box, id: 5, box: "box-8" }, "a");
    const said = log.of("info").flatMap((line) =>
      /^(.*) recording "(.)" of/.exec(line)?.slice(1, 3) ?? []
    );
    assertEquals(said, [
      ...["grpc://10.0.0.7:5000 forwards", "a", "grpc://10.0.0.7:5000 forwards", "b"],
      ...["grpc://10.0.0.7:5000 forwards", "c", "nats box-7 logs", "a", "nats box-7 logs", "d"],
      ...["nats box-8 logs", "a"],
    ]);
    // That it comes and goes is told to nobody who did not ask.
    assertEquals(log.of("info").filter((line) => / left: /.test(line)).length, 2);
  });

  it("remembers a bounded number of recordings, of bounded length", async () => {
    const log = keptLog();
    const lines = clientLines(log, "info");
    const batch = Array.from(
      { length: 10_001 },
      (_, i) => from(1, 0, announcement(`r${i}`, "app")),
    );
    batch.push(from(1, 0, announcement("x".repeat(201), "app")));
    await lines.write(batch);
    const data = capture("0.22.1-mixed").find((msg) => msg.kind === "ArrowMsg")!;
    const again = (recording: string): LogMsg =>
      Object.assign(Object.create(Object.getPrototypeOf(data)), data, {
        storeId: { kind: "Recording", id: recording },
        encoded: { header: header([0, 22, 1]), bytes: new Uint8Array(9) },
      });
    const recordings = ["r0", "r5000", "r10000", "x".repeat(201)];
    for (const [i, recording] of recordings.entries()) {
      await lines.write([from(10 + i, 0, again(recording))]);
    }
    const known = log.of("info").slice(1).map((line) => line.includes("of application"));
    assertEquals(known, [false, true, true, false]);
  });
});
