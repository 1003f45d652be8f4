import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { forwardLines, isTroubled } from "../../../lib/viewers/page/forward.js";

const NONE = { messages: 0, bytes: 0 };
const FINE = {
  ...{ target: "nats://a:4222", lagBytes: 1_500_000, lagSec: 0.25, outageSec: 0 },
  ...{ isStopped: false, dropped: NONE, refused: NONE },
};

describe("the page's lines of forwarding", () => {
  it("tell how far each target is behind, that it is out of reach, and what is not forwarded", () => {
    const lastAckMs = new Date(2026, 4, 6, 7, 8, 9).getTime();
    const down = { ...FINE, outageSec: 12.4, lastAckMs, dropped: { messages: 3, bytes: 9 } };
    assertEquals(forwardLines([FINE, down, { ...FINE, isStopped: true }]), [
      "nats://a:4222: 1.50 MB, 250 ms behind",
      "nats://a:4222: out of reach for 12 s, 1.50 MB wait, last acknowledged 07:08:09; " +
      "3 messages not forwarded",
      "nats://a:4222: stopped, see the log",
    ]);
    assertEquals([isTroubled([FINE]), isTroubled([FINE, down]), isTroubled([])], [
      false,
      true,
      false,
    ]);
  });
});
