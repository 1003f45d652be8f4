/** One client, the throttle and one receiver, in virtual time. */
import { CongestionManager } from "../../lib/flow/congestion_manager.ts";
import type { LogMsg } from "../../lib/log_msg.ts";
import { silentLog } from "../../lib/log.ts";
import { seeded } from "../random.ts";
import { chunk, frameChunk, virtualClock } from "./throttled_messages.ts";

/** Bytes that may wait for the receiver. */
export const SHARE_BYTES = 64 * 1024 * 1024;
/** Above it no new frame is let in: what remains is for frames that have begun. */
const REFUSE_BYTES = SHARE_BYTES * 7 / 8;

const MESSAGE_BYTES = 10_000;
const MESSAGES_PER_FRAME = 5;
/** Frames a second are 1000: 50 MB/s. */
const FRAMES_PER_MS = 1;
const STATIC_EVERY_MS = 100;

/** What is simulated. */
export interface Scenario {
  readonly seconds: number;
  readonly maxLatencySec: number;
  /** Bytes a millisecond that the receiver takes at this time. */
  readonly takes: (ms: number) => number;
}

/** What came out. */
export interface Outcome {
  /** The worst latency within each second. */
  readonly latencySec: number[];
  /** The accept rate at the end of each second. */
  readonly acceptRate: number[];
  /** Messages dropped within each second. */
  readonly dropped: number[];
  readonly sent: number;
  readonly throttled: number;
  readonly overflow: number;
  readonly received: number;
  readonly peakBytes: number;
  readonly pausedMs: number;
  readonly tornFrames: number;
  readonly lostStatic: number;
  /** When the receiver had last taken all there was, for the first time after something had waited a second. */
  readonly emptiedMs: number | undefined;
}

interface Waiting {
  readonly msg: LogMsg;
  readonly sinceMs: number;
  left: number;
}

/** The messages that wait for the receiver, the oldest first. */
class Queue {
  readonly #waiting: Waiting[] = [];
  #head = 0;
  bytes = 0;

  push(msg: LogMsg, sinceMs: number): void {
    const left = msg.encoded.bytes.length;
    this.bytes += left;
    this.#waiting.push({ msg, sinceMs, left });
  }

  ageMs(nowMs: number): number {
    const oldest = this.#waiting[this.#head];
    return oldest === undefined ? 0 : nowMs - oldest.sinceMs;
  }

  /** Takes this many bytes off the front; how many messages that ended. */
  take(budget: number): number {
    let ended = 0;
    for (let left = budget; left > 0 && this.#head < this.#waiting.length;) {
      const oldest = this.#waiting[this.#head]!;
      const taken = Math.min(left, oldest.left);
      oldest.left -= taken;
      left -= taken;
      this.bytes -= taken;
      if (oldest.left > 0) continue;
      this.#head++;
      ended++;
    }
    if (this.#head > 10_000) this.#waiting.splice(0, this.#head), this.#head = 0;
    return ended;
  }
}

/** What the SDK logs within one millisecond. */
function* logged(ms: number): Generator<LogMsg> {
  if (ms % STATIC_EVERY_MS === 0) yield chunk([], { bytes: 1000 });
  for (let frame = ms * FRAMES_PER_MS; frame < (ms + 1) * FRAMES_PER_MS; frame++) {
    for (let i = 0; i < MESSAGES_PER_FRAME; i++) {
      yield frameChunk(frame, frame * MESSAGES_PER_FRAME + i, { bytes: MESSAGE_BYTES });
    }
  }
}

/** Plays a scenario, millisecond by millisecond. */
export function simulate({ seconds, maxLatencySec, takes }: Scenario): Outcome {
  const clock = virtualClock();
  const manager = new CongestionManager({
    maxLatencySec,
    now: clock.now,
    random: seeded(1),
    log: silentLog,
  });
  const queue = new Queue();
  const frames = new Uint8Array(seconds * 1000 * FRAMES_PER_MS);
  const outcome = {
    latencySec: new Array<number>(seconds).fill(0),
    acceptRate: new Array<number>(seconds).fill(1),
    dropped: new Array<number>(seconds).fill(0),
    sent: 0,
    received: 0,
    peakBytes: 0,
    pausedMs: 0,
    lostStatic: 0,
    emptiedMs: undefined as number | undefined,
  };
  /** Passed, but it finds no room: the client is paused. */
  let held: LogMsg | undefined;
  let hasLagged = false;

  const put = (msg: LogMsg): boolean => {
    if (queue.bytes + msg.encoded.bytes.length > SHARE_BYTES) return false;
    queue.push(msg, clock.ms);
    outcome.peakBytes = Math.max(outcome.peakBytes, queue.bytes);
    return true;
  };
  /** The SDK's own queue, which grows while the client is paused. */
  const unread: LogMsg[] = [];
  const read = (second: number) => {
    if (held !== undefined && !put(held)) {
      outcome.pausedMs++;
      return;
    }
    held = undefined;
    manager.registerLatency(queue.ageMs(clock.ms) / 1000, queue.bytes / SHARE_BYTES);
    let taken = 0;
    for (const msg of unread) {
      taken++;
      const verdict = manager.judge(msg, queue.bytes > REFUSE_BYTES);
      const times = msg.kind === "ArrowMsg" ? msg.timepointMax! : [];
      if (verdict !== "send") {
        outcome.dropped[second]!++;
        if (times.length === 0) outcome.lostStatic++;
        continue;
      }
      if (times.length > 0) frames[Number(times[0]!.time)]!++;
      if (put(msg)) continue;
      held = msg;
      break;
    }
    unread.splice(0, taken);
  };

  for (let ms = 0; ms < seconds * 1000; ms++) {
    clock.ms = ms;
    const second = Math.floor(ms / 1000);
    outcome.received += queue.take(takes(ms));
    for (const msg of logged(ms)) {
      unread.push(msg);
      outcome.sent++;
    }
    if (queue.bytes === 0 && hasLagged) outcome.emptiedMs ??= ms;
    read(second);
    const latencySec = queue.ageMs(ms) / 1000;
    hasLagged ||= latencySec > 1;
    outcome.latencySec[second] = Math.max(outcome.latencySec[second]!, latencySec);
    outcome.acceptRate[second] = manager.acceptRate;
  }
  const { throttled, overflow } = manager.dropped;
  // What the pause or the end cut off is not torn by the throttle.
  const unjudged = new Set(
    [held, ...unread].flatMap((msg) =>
      msg?.kind === "ArrowMsg" && msg.timepointMax!.length > 0
        ? [Number(msg.timepointMax![0]!.time)]
        : []
    ),
  );
  const tornFrames = frames.reduce(
    (torn, count, frame) =>
      torn + (count % MESSAGES_PER_FRAME === 0 || unjudged.has(frame) ? 0 : 1),
    0,
  );
  return { ...outcome, throttled: throttled.messages, overflow: overflow.messages, tornFrames };
}
