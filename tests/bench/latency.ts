/**
 * How long a message of 1 KB takes from its sender to the loop of a program that uses the library,
 * at 1,000 a second:
 *
 *     deno run -A tests/bench/latency.ts [--seconds 10]
 */
import { once } from "node:events";
import { connect } from "node:net";
import { within } from "../conformance/child.ts";
import { startChild } from "../contract/child.ts";
import { arrowMsg, concat, Entries, framed, HELLO } from "../encoding/rrd_builder.ts";
import { rrdHeader, rrdMessage } from "../encoding/rrd_builder.ts";
import { scriptArgs } from "../script_args.ts";
import { clock } from "./clock.ts";

const PER_SEC = 1000;
const DATA_BYTES = 1024;
/** Before it, code is compiled. */
const WARM_UP_SEC = 2;
const CHILD = new URL("latency_child.ts", import.meta.url);

const { seconds } = scriptArgs({ seconds: 10 }).numbers;

/** A packet that says when it was made, in microseconds. */
function packet(): Uint8Array {
  const sent = BigInt(Math.round(clock() * 1e6));
  const timepoint = new Entries([[{ name: "sent", typ: "Time" }, sent]]);
  return framed(concat(rrdHeader(), rrdMessage(arrowMsg(timepoint, { data: DATA_BYTES }))));
}

/** Ages of all messages after the warm-up, in microseconds, the least first. */
async function measure(runtime: "deno" | "bun"): Promise<number[]> {
  const child = startChild(CHILD, [], undefined, runtime);
  try {
    const { port } = await within(10_000, runtime, child.next<{ port: number }>());
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    socket.setNoDelay(true);
    socket.write(HELLO);
    const count = (WARM_UP_SEC + seconds) * PER_SEC;
    const began = performance.now();
    for (let i = 0; i < count; i++) {
      const waitMs = began + i * 1000 / PER_SEC - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      socket.write(packet());
    }
    socket.end();
    const { ages } = await within(10_000, runtime, child.next<{ ages: number[] }>());
    if (ages.length !== count) throw new Error(`${runtime} received ${ages.length} of ${count}`);
    return ages.slice(WARM_UP_SEC * PER_SEC).sort((a, b) => a - b);
  } finally {
    await child.stop();
  }
}

console.log(`1,000 messages of 1 KB a second for ${seconds} s; ms from sender to loop`);
console.log("          p50     p99   p99.9     max");
for (const runtime of ["deno", "bun"] as const) {
  const ages = await measure(runtime);
  const at = (share: number) => ages[Math.min(ages.length - 1, Math.floor(share * ages.length))]!;
  const cells = [0.5, 0.99, 0.999, 1].map((share) => (at(share) / 1000).toFixed(2).padStart(8));
  console.log(runtime.padEnd(5) + cells.join(""));
}
