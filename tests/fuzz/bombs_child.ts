/**
 * Decodes bombs in a process of its own, each told by its name, and tells what that took beside a
 * good packet.
 */
import { writeFileSync } from "node:fs";
import process from "node:process";
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { heard, residentKiB, say } from "../contract/child.ts";
import { BOMBS, FULL_PACKET, GOOD_PACKET } from "./bombs.ts";
import { CORPUS } from "./corpus.ts";

const { collectGarbage } = detectRuntime() === "deno"
  ? await import("../../lib/adapters/process/deno_memory.ts")
  : await import("../../lib/adapters/process/bun_memory.ts");
/** Others of the machine may disturb one: the fastest counts. */
const YARDSTICKS = 3;

const decoder = new RrdDecoder();
// The bomb is measured, not the loading of code.
for (const packet of CORPUS) decoder.decodePacket(packet);

say({ ready: true });
for await (const name of heard()) {
  const bomb = BOMBS[name]!();
  let fullMs = Infinity;
  for (let i = 0; i < YARDSTICKS; i++) {
    const full = measured(FULL_PACKET);
    if (full.error !== undefined) throw full.error;
    fullMs = Math.min(fullMs, full.ms);
  }
  const { items, error, ms, grownMiB } = measured(bomb);
  const goodAfter = decoder.decodePacket(GOOD_PACKET).items.length === 1;
  const refused = items.length === 0 ? error?.name : undefined;
  say({ refused, text: error?.message, ms, fullMs, grownMiB, goodAfter });
}

/** What a packet decodes to, and what that took. */
function measured(packet: Uint8Array) {
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
  return { items, error, ms, grownMiB: (residentKiB("VmHWM") - beforeKiB) / 1024 };
}
