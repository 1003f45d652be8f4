import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { OneEncoding, rrdStream } from "../../../lib/viewers/serve/_rrd_stream.ts";
import { StallWatch } from "../../../lib/viewers/serve/stall_watch.ts";
import { announcement, chunk, madeHub, smart } from "../messages.ts";

describe("rrdStream", () => {
  it("gives the viewer's place back when its messages can't be given", async () => {
    const hub = madeHub();
    hub.write([announcement("rec"), chunk(1, 200)].map(smart));
    const encoding = new OneEncoding({ form: "current" });
    const viewer = hub.join({ transport: "http", accepts: encoding.accepts });
    let watches = 0;
    const every = () => {
      watches++;
      return () => void watches--;
    };
    const failing = {
      ...hub,
      current() {
        throw new Error("out of memory");
      },
    };
    const stalls = new StallWatch({ every });
    const reader = rrdStream({ hub: failing, viewer, encoding, stalls }).getReader();
    await reader.read(); // the header
    await assertRejects(() => reader.read(), Error, "out of memory");
    assertEquals([watches, viewer.gone, hub.stats.viewers.length], [0, "failed", 0]);
  });
});
