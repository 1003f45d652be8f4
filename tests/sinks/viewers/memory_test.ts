import { assert, assertEquals, assertLess } from "@std/assert";
import { connect } from "node:net";
import process from "node:process";
import { describe, it } from "node:test";
import type { HubStats } from "../../../lib/sinks/viewers/types.ts";
import { startChild } from "../../contract/child.ts";
import {
  arrowMsg,
  concat,
  Entries,
  framed,
  HELLO,
  rrdHeader,
  rrdMessage,
} from "../../encoding/rrd_builder.ts";

const LIMIT_MIB = 32;
/** Ten times the limit. */
const PACKETS = 32_000;
const DATA_BYTES = 10_500;
/** Packets of one write. */
const AT_ONCE = 50;

interface Outcome {
  early: number;
  late: number;
  history: HubStats["history"];
  fullest: number;
  peakKiB: number;
}

describe("memory of live viewers", {
  timeout: 120_000,
  skip: process.platform !== "linux" && "resident memory is read from /proc",
}, () => {
  it("stays within the limit and 150 MiB under ten times the limit of input", async () => {
    const child = startChild(new URL("memory_child.ts", import.meta.url), [String(LIMIT_MIB)]);
    try {
      const { port } = await child.next<{ port: number }>();
      const socket = connect(port, "127.0.0.1");
      socket.write(HELLO);
      for (let i = 0; i < PACKETS; i += AT_ONCE) {
        const time = new Entries([[{ name: "frame", typ: "Sequence" }, i]]);
        const packet = concat(rrdHeader(), rrdMessage(arrowMsg(time, { data: DATA_BYTES })));
        const many = concat(...Array.from({ length: AT_ONCE }, () => framed(packet)));
        if (!socket.write(many)) await new Promise((resolve) => socket.once("drain", resolve));
      }
      socket.end();
      const { early, late, history, fullest, peakKiB } = await child.next<Outcome>();
      assertEquals(early, PACKETS);
      assertEquals(late, history.messages);
      assertEquals(history.messages + history.evicted.messages, PACKETS);
      assert(fullest > LIMIT_MIB * 2 ** 20 * 0.9);
      assertLess(peakKiB, (LIMIT_MIB + 150) * 1024);
    } finally {
      await child.stop();
    }
  });
});
