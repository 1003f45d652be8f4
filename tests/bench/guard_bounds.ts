/** What the guard asks for: half of what receiving is meant to reach, so that noise does not fail it. */
import type { Allocations } from "./allocations_child.ts";
import { median } from "./figures.ts";
import type { Measured, What } from "./guard_runs.ts";

/** The runtimes that are tried. */
export type Runtime = "deno" | "bun";

/** One thing that is asked for. */
export interface Verdict {
  readonly text: string;
  readonly ok: boolean;
}

/** Least speed as a share of the control's: half of 65, 45 and 85 %. */
const OF_CONTROL = { small: { deno: 0.325, bun: 0.225 }, images: { deno: 0.425, bun: 0.425 } };
/** About half of what was measured: how fast the disk is decides too. */
const SAVING_OF_SERVER = { small: 0.17, images: 0.12 };
/** Half of 90 %. */
const MANY_OF_ONE = 0.45;
/** Twice 160 MiB. */
const MAX_PEAK_MIB = 320;

/** Bytes of objects a small message, 1.5 times what was counted: 1,600 to 1,750 and 1,120. */
const MAX_HEAP_BYTES = { deno: 2600, bun: 1700 };
/** Bytes of buffers a byte received: memory is used again, and only what lies in two reads is copied. */
const MAX_COPIED = { small: 0.03, images: 0.1 };

/** Names of the streams. */
export type GuardStream = keyof typeof OF_CONTROL;

/** Judges the runs of one runtime with one stream. */
export function judgeSpeed(
  stream: GuardStream,
  runtime: Runtime,
  all: readonly Measured[],
): Verdict[] {
  const named = (text: string) => `${runtime}, ${stream}: ${text}`;
  const find = (what: What, many = false) =>
    all.find((each) => each.what === what && each.clients > 1 === many);
  const one = find("server")!;
  const control = find("control");
  const verdicts: Verdict[] = [];
  const atLeast = (name: string, of: Measured | undefined, than: Measured, least: number) => {
    if (of === undefined) return;
    const share = median(than.secs) / median(of.secs);
    const text = named(`${name}: ${percent(share)}, at least ${percent(least)}`);
    verdicts.push({ text, ok: share >= least });
  };
  if (control) atLeast("speed, of the control's", one, control, OF_CONTROL[stream][runtime]);
  atLeast("with saving, of without", find("save"), one, SAVING_OF_SERVER[stream]);
  atLeast("many clients, of one", find("server", true), one, MANY_OF_ONE);
  const { what, peakKiB } = all.at(-1)!;
  const peak = peakKiB / 1024;
  const text = named(`peak RSS, ${what}: ${peak.toFixed(0)} MiB, at most ${MAX_PEAK_MIB}`);
  verdicts.push({ text, ok: peak <= MAX_PEAK_MIB });
  return verdicts;
}

/** Judges what the server took for one stream. */
export function judgeAllocations(
  stream: GuardStream,
  runtime: Runtime,
  { messages, bytes, heapBytes, bufferBytes }: Allocations,
): Verdict[] {
  const copied = bufferBytes / bytes;
  const most = MAX_COPIED[stream];
  const text = `${runtime}, ${stream}: bytes of buffers a byte received: ${copied.toFixed(3)}, ` +
    `at most ${most}`;
  const verdicts = [{ text, ok: copied <= most }];
  if (stream === "small") {
    const heap = heapBytes / messages;
    const limit = MAX_HEAP_BYTES[runtime];
    const text = `${runtime}, ${stream}: bytes of objects a message: ${heap.toFixed(0)}, ` +
      `at most ${limit}`;
    verdicts.push({ text, ok: heap <= limit });
  }
  return verdicts;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
