/** The overloads that are measured, and what each must show. */
import { drip, faults, flood, type Overload, quiet, type Result } from "./overload_runs.ts";

/** One of them. */
export interface Scenario {
  readonly name: string;
  readonly overload: Overload;
  /** What is wrong with the result; empty if nothing is. */
  check(result: Result): string[];
}

/** What a client's latency must stay under, in seconds: twice the maximum. */
const LATENCY_SEC = 0.4;
const MAX_LATENCY_SEC = 0.2;
const STALL_SEC = 10;
/** The rules need 25 s at zero latency from the lowest accept rate to the highest. */
const RECOVERY_SEC = 40;

/** The highest age at receipt of a client's messages over the last part of a run, in seconds. */
export function steadyAge({ samples }: Result, client: 0 | 1, part: number): number {
  const end = samples.at(-1)?.sec ?? 0;
  return Math.max(
    0,
    ...samples.filter(({ sec }) => sec > end * (1 - part))
      .map(({ ages }) => ages[client]),
  );
}

/** When the last message was dropped, in seconds; 0 if none was. */
export function lastDropSec({ samples }: Result): number {
  let [before, last] = [0, 0];
  for (const { throttled, overflow, sec } of samples) {
    if (throttled + overflow > before) last = sec;
    before = throttled + overflow;
  }
  return last;
}

function slow(limitMiB: number, seconds: number): Scenario {
  return {
    name: `slow, limit ${limitMiB} MiB`,
    overload: {
      receiving: {
        limitMiB,
        maxLatencySec: MAX_LATENCY_SEC,
        phases: [{ untilSec: seconds + 60, takes: 5e6 }],
      },
      clients: [flood(seconds), quiet(seconds)],
    },
    check(result) {
      const found = faults(result, limitMiB);
      const age = steadyAge(result, 0, 1 / 3);
      if (age >= LATENCY_SEC) found.push(`flood: latency of ${age.toFixed(2)} s at the end`);
      const quietAge = steadyAge(result, 1, 1);
      if (quietAge >= LATENCY_SEC) found.push(`quiet: latency of ${quietAge.toFixed(2)} s`);
      const lost = result.logged[1]!.messages - result.seen[1]!.messages;
      if (lost > 0) found.push(`quiet: ${lost} messages are lost`);
      return found;
    },
  };
}

function stalled(limitMiB: number, seconds: number): Scenario {
  return {
    name: `stalled ${STALL_SEC} s, limit ${limitMiB} MiB`,
    overload: {
      receiving: {
        limitMiB,
        maxLatencySec: MAX_LATENCY_SEC,
        phases: [{ untilSec: STALL_SEC, takes: 0 }],
      },
      clients: [flood(seconds), quiet(seconds)],
    },
    check(result) {
      const found = faults(result, limitMiB);
      const { emptySec } = result;
      if (emptySec === null) found.push("the queue was never empty");
      else {
        const last = lastDropSec(result) - emptySec;
        if (last > RECOVERY_SEC) found.push(`drops ${last.toFixed(1)} s after the queue was empty`);
      }
      return found;
    },
  };
}

function dripping(limitMiB: number, seconds: number): Scenario {
  return {
    name: `1 KB a read, stalled, limit ${limitMiB} MiB`,
    overload: {
      receiving: { limitMiB, maxLatencySec: null, phases: [{ untilSec: seconds, takes: 0 }] },
      clients: [drip(seconds)],
    },
    check(result) {
      const found = faults(result, limitMiB);
      const fullest = Math.max(...result.samples.map(({ queuedBytes }) => queuedBytes));
      if (fullest < 0.8 * limitMiB * 2 ** 20) found.push("the channel was not full");
      const lost = result.logged[0]!.messages - result.seen[0]!.messages;
      if (lost > 0) found.push(`drip: ${lost} messages are lost`);
      return found;
    },
  };
}

/**
 * All of them.
 *
 * @param seconds how long the clients log; the recovery from a stall takes 51
 */
export function scenarios(seconds: number): Scenario[] {
  return [slow(64, seconds), slow(256, seconds), stalled(64, seconds), dripping(64, 10)];
}
