import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import type { MessageSource } from "../../mod.ts";
import { Recordings } from "../../lib/stores/recordings.ts";
import { capturedMessages } from "../forward/batches.ts";

describe("recordings of boxes", () => {
  const [msg] = capturedMessages("0.22.1-mixed");
  const box: MessageSource = { kind: "nats-box", id: 1, box: "box-7" };
  const sdk: MessageSource = { kind: "tcp-client", id: 2 };

  it("are live while something comes, for nobody says when a box leaves", () => {
    let now = 0;
    const recordings = new Recordings(() => now);
    const isLive = () => recordings.summaries[0]!.live;
    const note = (source: MessageSource) =>
      recordings.note({ source, payload: { type: "msg", msg: msg! }, time: 0 });
    note(box);
    assertEquals(isLive(), true);
    now = 59_999;
    assertEquals(isLive(), true);
    now = 60_000;
    assertEquals(isLive(), false);
    note(box);
    assertEquals(isLive(), true);
    note(sdk);
    now = 1_000_000;
    assertEquals(isLive(), true, "an SDK is connected, however silent");
    recordings.note({ source: sdk, payload: { type: "quit" }, time: 0 });
    assertEquals(isLive(), false);
    note(box);
    recordings.note({ source: box, payload: { type: "quit" }, time: 0 });
    assertEquals(isLive(), false, "the stream is not read any more");
  });

  it("stay live between the calls of another Rerelay, which end within a second", () => {
    let now = 0;
    const recordings = new Recordings(() => now);
    const isLive = () => recordings.summaries[0]!.live;
    const note = (source: MessageSource) =>
      recordings.note({ source, payload: { type: "msg", msg: msg! }, time: 0 });
    for (let id = 1; id <= 100; id++) {
      const call: MessageSource = { kind: "grpc-client", id, isForwarded: true };
      note(call);
      assertEquals(isLive(), true);
      recordings.note({ source: call, payload: { type: "quit" }, time: 0 });
      now += 1000;
      assertEquals(isLive(), true, "the next call is not there yet");
    }
    note(sdk);
    now += 60_000;
    assertEquals(isLive(), true, "an SDK is connected, however silent");
    recordings.note({ source: sdk, payload: { type: "quit" }, time: 0 });
    assertEquals(isLive(), false, "nothing was sent on for a minute");
  });
});
