/** Mutated packets through the decoder, and what it makes of them through all that reads further. */
import { checkArrow } from "../../lib/encoding/arrow/arrow_check.ts";
import { timepointOf } from "../../lib/encoding/arrow/arrow_timepoint.ts";
import { viewerFrame } from "../../lib/encoding/bincode/bincode_log_msg.ts";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { leastMs } from "../least_ms.ts";
import { caseRandom } from "../random.ts";
import { describeMsg } from "../fixtures.ts";
import type { LogMsg, StepResult } from "../../mod.ts";
import { CORPUS, GOOD } from "./corpus.ts";
import { mutant } from "./mutations.ts";
import { isSameMsg } from "./same_msg.ts";

/** What the decoder may say of a packet; anything else is a bug. */
export const ALLOWED_ERRORS: ReadonlySet<string> = new Set([
  "NotAnRrd",
  "OldRrdVersion",
  "UnknownRrdOptions",
  "TruncatedRrd",
  "MessageTooLarge",
  "MessageLimit",
  "InvalidMessage",
]);

/** What a later reader of damaged Arrow data may say. */
const ALLOWED_LATER = new Set([
  "InvalidMessage",
  "MessageLimit",
  "MessageTooLarge",
  "UnknownArrowType",
]);

/** A case that takes longer hangs, in milliseconds. */
export const HANG_MS = 1000;

/** What came out of some cases. */
export interface Tally {
  cases: number;
  /** Packets that decoded all the same, and their messages. */
  decoded: number;
  messages: number;
  /** Packets refused, by class of error. */
  errors: Record<string, number>;
  slowestMs: number;
}

/** An empty tally. */
export function newTally(): Tally {
  return { cases: 0, decoded: 0, messages: 0, errors: {}, slowestMs: 0 };
}

const decoder = new RrdDecoder();
const described = (packet: Uint8Array) =>
  JSON.stringify(new RrdDecoder().decodePacket(packet).items.map(describeMsg));
const EXPECTED = GOOD.map(described);

/**
 * Runs one case.
 *
 * @param seed of the run
 * @param index of the case
 * @param tally where the outcome is added
 * @throws {Error} if anything is not as it must be
 */
export function runCase(seed: number, index: number, tally: Tally): void {
  const { bytes, good: original, how } = mutant(CORPUS, caseRandom(seed, index));
  const fail = (what: string, cause?: unknown): never => {
    throw new Error(`seed ${seed}, case ${index} (${how}): ${what}`, { cause });
  };
  let start = 0;
  let result: StepResult<LogMsg> = { items: [] };
  try {
    // What the decoder learned from the good packet must not make it believe the damaged one.
    decoder.decodePacket(original);
    start = performance.now();
    result = decoder.decodePacket(bytes);
    for (const msg of result.items) readFurther(msg);
  } catch (error) {
    fail(`it threw ${error}`, error);
  }
  let ms = performance.now() - start;
  if (ms > HANG_MS) {
    // Another program may have had the processor meanwhile.
    ms = leastMs(() => new RrdDecoder().decodePacket(bytes).items.forEach(readFurther), HANG_MS);
  }
  count(result, tally);
  const { error } = result;
  if (error !== undefined && !ALLOWED_ERRORS.has(error.name)) fail(`${error} is unexpected`, error);
  tally.cases++;
  tally.slowestMs = Math.max(tally.slowestMs, ms);
  if (ms > HANG_MS) fail(`it took ${ms.toFixed(0)} ms`);
  const fresh = new RrdDecoder().decodePacket(bytes);
  if (fresh.error?.message !== error?.message || !isSame(fresh.items, result.items)) {
    fail(`a fresh decoder makes something else of it: ${fresh.error}, not ${error}`);
  }
  const good = index % GOOD.length;
  const after = decoder.decodePacket(GOOD[good]!);
  if (JSON.stringify(after.items.map(describeMsg)) !== EXPECTED[good]) {
    fail(`a good packet does not decode afterwards: ${after.error}`, after.error);
  }
}

function count({ items, error }: StepResult<LogMsg>, tally: Tally): void {
  tally.messages += items.length;
  if (error === undefined) tally.decoded++;
  else tally.errors[error.name] = (tally.errors[error.name] ?? 0) + 1;
}

function isSame(some: readonly LogMsg[], others: readonly LogMsg[]): boolean {
  return some.length === others.length && some.every((msg, i) => isSameMsg(msg, others[i]!));
}

/** All that sinks and the throttle read of a message. */
function readFurther(msg: LogMsg): void {
  if (msg.kind === "ArrowMsg") {
    expected(() => checkArrow(msg));
    expected(() => timepointOf(msg));
  }
  expected(() => viewerFrame(msg));
}

function expected(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof Error) || !ALLOWED_LATER.has(error.name)) throw error;
  }
}
