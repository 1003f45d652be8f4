/** One client, the throttle, the smart channel and one receiver, in virtual time. */
import { ArrowMsg } from "../../lib/encoding/arrow_msg.ts";
import { CongestionManager } from "../../lib/flow/throttle/congestion_manager.ts";
import { SmartChannel } from "../../lib/flow/channel/smart_channel.ts";
import { Throttle } from "../../lib/flow/throttle/throttle.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { silentLog } from "../../lib/base/log.ts";
import { seeded } from "../random.ts";
import { chunk, frameChunk, virtualClock } from "./throttled_messages.ts";

/** Bytes that may wait for the receiver. */
export const LIMIT_BYTES = 64 * 1024 * 1024;

const MESSAGE_BYTES = 10_000;
const MESSAGES_PER_FRAME = 5;
/** Frames a second are 1000: 50 MB/s. */
const FRAMES_PER_MS = 1;
const STATIC_EVERY_MS = 100;
/** Not as many as a frame has, so that reads end within frames. */
const MESSAGES_PER_READ = 3;

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

/** The message as if it had so many bytes, on a buffer of its own: nothing here looks at them. */
function sized(msg: ArrowMsg, length: number): ArrowMsg {
  const buffer = { byteLength: length };
  const bytes = { length, byteLength: length, buffer } as Uint8Array;
  const arrow = { ...msg.arrow, bytes };
  return new ArrowMsg(msg.storeId, msg.chunkId, msg.timepointMax, msg.isStatic, arrow, {
    header: msg.encoded.header,
    bytes,
  });
}

/** What the SDK logs within one millisecond. */
function* logged(ms: number): Generator<LogMsg> {
  if (ms % STATIC_EVERY_MS === 0) yield sized(chunk([]), 1000);
  for (let frame = ms * FRAMES_PER_MS; frame < (ms + 1) * FRAMES_PER_MS; frame++) {
    for (let i = 0; i < MESSAGES_PER_FRAME; i++) {
      yield sized(frameChunk(frame, frame * MESSAGES_PER_FRAME + i), MESSAGE_BYTES);
    }
  }
}

/** Plays a scenario, millisecond by millisecond. */
export async function simulate({ seconds, maxLatencySec, takes }: Scenario): Promise<Outcome> {
  const clock = virtualClock();
  const { now } = clock;
  const channel = new SmartChannel({ limitBytes: LIMIT_BYTES, now });
  const sender = channel.sender({ kind: "tcp-client", id: 1 });
  const random = seeded(1);
  const manager = new CongestionManager({ maxLatencySec, now, random, log: silentLog });
  const throttle = new Throttle(manager, sender);
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
  let isPaused = false;
  let hasLagged = false;
  let credit = 0;

  const receive = (ms: number) => {
    // What it could have taken while nothing waited is not made up for.
    credit = Math.min(0, credit) + takes(ms);
    while (credit > 0) {
      const [message] = channel.take(1) ?? [];
      if (message?.payload.type !== "msg") return;
      credit -= message.payload.msg.encoded.bytes.length;
      outcome.received++;
    }
  };
  /** The SDK's own queue, which grows while the client is paused. */
  const unread: LogMsg[] = [];
  const read = async (second: number) => {
    let taken = 0;
    while (!isPaused && taken < unread.length) {
      const batch = unread.slice(taken, taken += MESSAGES_PER_READ);
      const { items } = throttle.push(batch);
      const passed = new Set(items);
      for (const msg of batch) {
        const frame = frameOf(msg);
        if (!passed.has(msg)) outcome.dropped[second]!++;
        if (frame === undefined) outcome.lostStatic += passed.has(msg) ? 0 : 1;
        else if (passed.has(msg)) frames[frame]!++;
      }
      const room = sender.send(items);
      outcome.peakBytes = Math.max(outcome.peakBytes, channel.bytes);
      if (room === undefined) continue;
      isPaused = true;
      room.then(() => isPaused = false);
    }
    unread.splice(0, taken);
    await Promise.resolve();
  };

  for (let ms = 0; ms < seconds * 1000; ms++) {
    clock.ms = ms;
    const second = Math.floor(ms / 1000);
    receive(ms);
    await Promise.resolve();
    for (const msg of logged(ms)) {
      unread.push(msg);
      outcome.sent++;
    }
    if (channel.length === 0 && hasLagged) outcome.emptiedMs ??= ms;
    if (isPaused) outcome.pausedMs++;
    await read(second);
    const { latencySec } = sender;
    hasLagged ||= latencySec > 1;
    outcome.latencySec[second] = Math.max(outcome.latencySec[second]!, latencySec);
    outcome.acceptRate[second] = manager.acceptRate;
  }
  const { throttled, overflow } = manager.dropped;
  // What the pause or the end cut off is not torn by the throttle.
  const unjudged = new Set(unread.map(frameOf));
  const tornFrames = frames.reduce(
    (torn, count, frame) =>
      torn + (count % MESSAGES_PER_FRAME === 0 || unjudged.has(frame) ? 0 : 1),
    0,
  );
  return { ...outcome, throttled: throttled.messages, overflow: overflow.messages, tornFrames };
}

function frameOf(msg: LogMsg): number | undefined {
  const [time] = msg.kind === "ArrowMsg" ? msg.timepointMax! : [];
  return time && Number(time.time);
}
