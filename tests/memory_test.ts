import { assert, assertEquals, assertLess } from "@std/assert";
import { connect } from "node:net";
import process from "node:process";
import { describe, it } from "node:test";
import { startChild } from "./contract/child.ts";
import {
  arrowMsg,
  concat,
  Entries,
  framed,
  HELLO,
  rrdHeader,
  rrdMessage,
} from "./encoding/rrd_builder.ts";

const LIMIT_MIB = 64;
/** Five messages of 10 kB each: 200 MB in all. */
const FRAMES = 4000;
const PER_FRAME = 5;
const DATA_BYTES = 10_000;

interface Outcome {
  messages: number;
  dropped: Record<"throttled" | "overflow", { messages: number }>;
  fullest: number;
  grownKiB: number;
}

/** Sends frame after frame to a receiver that can't keep up. */
async function flood(maxLatencySec: number): Promise<Outcome> {
  const child = startChild(new URL("memory_child.ts", import.meta.url), [
    String(LIMIT_MIB),
    String(maxLatencySec),
  ]);
  try {
    const { port } = await child.next<{ port: number }>();
    const socket = connect(port, "127.0.0.1");
    socket.write(HELLO);
    for (let frame = 0; frame < FRAMES; frame++) {
      const time = new Entries([[{ name: "frame", typ: "Sequence" }, frame]]);
      const packet = concat(rrdHeader(), rrdMessage(arrowMsg(time, { data: DATA_BYTES })));
      const five = concat(...Array.from({ length: PER_FRAME }, () => framed(packet)));
      if (!socket.write(five)) await new Promise((resolve) => socket.once("drain", resolve));
    }
    socket.end();
    return await child.next<Outcome>();
  } finally {
    await child.stop();
  }
}

const options = {
  timeout: 120_000,
  skip: process.platform !== "linux" && "resident memory is read from /proc",
};

describe("memory of a server whose receiver is too slow", options, () => {
  it("stays within the limit by pausing, and nothing is dropped", async () => {
    const { messages, dropped, fullest, grownKiB } = await flood(Infinity);
    assertEquals(messages, PER_FRAME * FRAMES);
    assertEquals([dropped.throttled.messages, dropped.overflow.messages], [0, 0]);
    // Reading waits for a receiver that is behind, so how much waits is a matter of its pace.
    assert(fullest > 0.1 * LIMIT_MIB * 2 ** 20, `${fullest}`);
    assert(fullest < 1.1 * LIMIT_MIB * 2 ** 20, `${fullest}`);
    assertLess(grownKiB >> 10, LIMIT_MIB + 64);
  });

  it("stays within the limit by dropping, if a maximum latency is set", async () => {
    const { messages, dropped, grownKiB } = await flood(0.05);
    const lost = dropped.throttled.messages + dropped.overflow.messages;
    assertEquals(messages + lost, PER_FRAME * FRAMES);
    assertEquals(lost % PER_FRAME, 0);
    assert(lost > 1000, `${lost}`);
    assertLess(grownKiB >> 10, LIMIT_MIB + 64);
  });
});
