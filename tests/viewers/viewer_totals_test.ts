import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import type { ViewerStats } from "../../lib/viewers/types.ts";
import { TotalsOfViewers } from "../../lib/viewers/viewer_totals.ts";

const viewer = (id: number, transport: ViewerStats["transport"]): ViewerStats => ({
  ...{ id, transport, addr: undefined, name: undefined, caughtUp: true, ageSec: 0 },
  backlog: { messages: 9, bytes: 9 },
  sent: { messages: id, bytes: 10 * id },
  skipped: { messages: 1, bytes: 100 },
  thinned: {
    shownFrames: 2,
    leftOutFrames: 3,
    heavy: { messages: 4, bytes: 400 },
    light: { messages: 5, bytes: 50 },
  },
});

describe("totals of viewers", () => {
  it("are those of viewers that left and of those that are there, by how they are connected", () => {
    const totals = new TotalsOfViewers();
    totals.left(viewer(1, "grpc"));
    totals.left({ ...viewer(2, "grpc"), thinned: undefined });
    const { grpc, http, websocket } = totals.with([viewer(4, "grpc"), viewer(3, "http")]);
    assertEquals(grpc, {
      sent: { messages: 7, bytes: 70 },
      skipped: { messages: 3, bytes: 300 },
      shownFrames: 4,
      thinnedFrames: 6,
      thinned: { messages: 18, bytes: 900 },
      thinnedLightMessages: 10,
    });
    assertEquals([http.sent, http.thinnedFrames], [{ messages: 3, bytes: 30 }, 3]);
    assertEquals(websocket.sent, { messages: 0, bytes: 0 });
    // Those that are there are not counted for good.
    assertEquals(totals.with([]).grpc.sent, { messages: 3, bytes: 30 });
  });
});
