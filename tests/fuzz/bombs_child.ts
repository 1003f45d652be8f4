/** Decodes bombs in a process of its own, each told by its name, and tells what that took. */
import { writeFileSync } from "node:fs";
import process from "node:process";
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { heard, residentKiB, say } from "../contract/child.ts";
import { BOMBS, GOOD_PACKET } from "./bombs.ts";
import { CORPUS } from "./corpus.ts";

const { collectGarbage } = detectRuntime() === "deno"
  ? await import("../../lib/adapters/process/deno_memory.ts")
  : await import("../../lib/adapters/process/bun_memory.ts");
const decoder = new RrdDecoder();
// The bomb is measured, not the loading of code.
for (const packet of CORPUS) decoder.decodePacket(packet);

say({ ready: true });
for await (const name of heard()) {
  const packet = BOMBS[name]!();
  collectGarbage();
  // Lets the peak begin anew (proc(5), clear_refs).
  writeFileSync("/proc/self/clear_refs", "5");
  const beforeKiB = residentKiB("VmHWM");
  const start = performance.now();
  const startCpu = process.cpuUsage();
  const { items, error } = decoder.decodePacket(packet);
  const wallMs = performance.now() - start;
  const { user, system } = process.cpuUsage(startCpu);
  // A busy machine takes the processor away for a while: that is not the decoder's time.
  const ms = Math.min(wallMs, (user + system) / 1000);
  const grownKiB = residentKiB("VmHWM") - beforeKiB;
  const goodAfter = decoder.decodePacket(GOOD_PACKET).items.length === 1;
  const refused = items.length === 0 ? error?.name : undefined;
  say({ refused, text: error?.message, ms, grownMiB: grownKiB / 1024, goodAfter });
}
