import { assert, assertEquals, assertLess } from "@std/assert";
import { connect } from "node:net";
import process from "node:process";
import { describe, it } from "node:test";
import type { HubStats } from "../../lib/viewers/types.ts";
import { startChild } from "../contract/child.ts";
import { cases } from "../counts.ts";
import {
  arrowMsg,
  concat,
  Entries,
  framed,
  HELLO,
  rrdHeader,
  rrdMessage,
} from "../encoding/rrd_builder.ts";

const LIMIT_MIB = 32;
/** How many times the limit comes. */
const TIMES = cases(10, 4);
/** In messages that are kept together, and in such as are kept each for itself. */
const INPUTS = [
  { packets: 3200 * TIMES, dataBytes: 10_500, atOnce: 50 },
  { packets: Math.ceil(33.6 * TIMES), dataBytes: 1_000_000, atOnce: 1 },
];

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
  for (const { packets, dataBytes, atOnce } of INPUTS) {
    it(`stays within limit + 150 MiB under ${TIMES} times of it, ${dataBytes} bytes at a time`, async () => {
      const child = startChild(new URL("memory_child.ts", import.meta.url), [String(LIMIT_MIB)]);
      try {
        const { port } = await child.next<{ port: number }>();
        const socket = connect(port, "127.0.0.1");
        socket.write(HELLO);
        for (let i = 0; i < packets; i += atOnce) {
          const time = new Entries([[{ name: "frame", typ: "Sequence" }, i]]);
          const packet = concat(rrdHeader(), rrdMessage(arrowMsg(time, { data: dataBytes })));
          const many = concat(...Array.from({ length: atOnce }, () => framed(packet)));
          if (!socket.write(many)) await new Promise((resolve) => socket.once("drain", resolve));
        }
        socket.end();
        const { early, late, history, fullest, peakKiB } = await child.next<Outcome>();
        assertEquals(early, packets);
        assertEquals(late, history.messages);
        assertEquals(history.messages + history.evicted.messages, packets);
        assert(fullest > LIMIT_MIB * 2 ** 20 * 0.9);
        assertLess(peakKiB, (LIMIT_MIB + 150) * 1024);
      } finally {
        await child.stop();
      }
    });
  }
});
