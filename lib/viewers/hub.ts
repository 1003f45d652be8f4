/**
 * Live viewers: what they get, when they joined late as well, and what it may cost.
 *
 * @module
 */
import { checkLimits, checkPositive } from "../base/check_options.ts";
import { optionText, VIEWER_LIMITS } from "../base/limit_table.ts";
import type { BridgeCounts } from "../bridge/mod.ts";
import { checkArrow } from "../encoding/arrow/arrow_check.ts";
import type { LeftOut } from "../encoding/bincode/bincode_log_msg.ts";
import { HubClosed, TooManyViewers } from "../base/errors.ts";
import { isReused } from "../memory/buffer_pool.ts";
import { copyOut, keepable } from "../flow/channel/copy_out.ts";
import type { SmartMessage } from "../flow/channel/smart_message.ts";
import { silentLog } from "../base/log.ts";
import { MemoryPressure } from "../memory/memory_pressure.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import { BridgedMessages } from "./frames/bridged_messages.ts";
import { FrameCache } from "./frames/frame_cache.ts";
import { History } from "./history/history.ts";
import { Memory } from "./history/item.ts";
import { Recent } from "./history/recent.ts";
import { Recordings } from "../stores/recordings.ts";
import { HistoryFrames } from "./frames/history_frames.ts";
import { Slab } from "./history/slab.ts";
import { HubViewer, type ViewerContext } from "./_viewer.ts";
import { Wire } from "./frames/wire.ts";
import type { Place } from "./frames/wire_parts.ts";
import type { BridgeStats, JoinOptions, ViewerGone, ViewerHub, ViewerHubOptions } from "./types.ts";

/** Viewers get so long to take what waits for them when the hub closes, in milliseconds. */
const CLOSE_MS = 500;

/** A history that overflows with what should stay is told of so often, in milliseconds. */
const WARN_MS = 10_000;

/**
 * Keeps what is logged for live viewers, as far as it fits, and hands it to them as it comes.
 *
 * Store infos, blueprints, activations and the latest static data of each entity stay; other chunks go
 * oldest first, once memory is above the limit. A viewer that falls behind by more than its queue
 * is cut off; nobody else waits for it. Late viewers get the history in the order of Rerun 0.22.1.
 *
 * @param options limits
 * @throws {RangeError} if a limit is not above 0
 *
 * @example
 * ```ts
 * import { viewerHub } from "@rerelay/server/viewers";
 * import { assertEquals } from "@std/assert";
 *
 * const hub = viewerHub({ limitBytes: 64 * 1024 * 1024 });
 * const viewer = hub.join();
 * await hub.write([]); // here: what fanOut gives
 * await hub.close();
 * assertEquals(await viewer.next(1024), undefined);
 * ```
 */
export function viewerHub(options: ViewerHubOptions = {}): ViewerHub {
  const {
    limitBytes = 1024 * 1024 * 1024,
    viewerQueueBytes: queueBytes = VIEWER_LIMITS.viewerQueueBytes.default,
    maxViewers = VIEWER_LIMITS.maxViewers.default,
    relayCorrupt = false,
    collectGarbage = () => {},
    log = silentLog,
    now = () => performance.now(),
    date = Date.now,
    delay = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  } = options;
  checkPositive("limitBytes", limitBytes);
  checkLimits({ viewerQueueBytes: queueBytes, maxViewers });
  const memory = new Memory();
  const history = new History(limitBytes, memory);
  const recent = new Recent(memory);
  const frames = new FrameCache();
  const bridged = new BridgedMessages(limitBytes, () => memory.bytes + frames.bytes);
  // Viewers that are further behind cost more; with the default limit, none is within its queue.
  const wireBytes = Math.min(queueBytes, limitBytes / 4);
  const onLeftOut = (msg: LogMsg, why: LeftOut) => frames.leaveOut(msg, why);
  const settings = { memory, spare: [], onLeftOut };
  const wire = new Wire(wireBytes, settings);
  const historyFrames = new HistoryFrames(settings);
  const pressure = new MemoryPressure(collectGarbage, {
    limitBytes,
    get bytes() {
      return memory.bytes;
    },
  }, now);
  const recordings = new Recordings(date);
  const viewers = new Set<HubViewer>();
  const gone: Record<ViewerGone, number> = { left: 0, slow: 0, stalled: 0, closed: 0, failed: 0 };
  let joined = 0;
  let refused = 0;
  let corrupt = 0;
  let clientErrors = 0;
  let warnedAt = -Infinity;
  let closing: Promise<void> | undefined;

  const onGone = (viewer: HubViewer, reason: ViewerGone) => {
    viewers.delete(viewer);
    gone[reason]++;
    // Those of WebSockets get what was sent.
    const isUsed = Array.from(viewers).some(({ stats }) => stats.transport !== "websocket");
    if (!isUsed) bridged.clear();
    if (reason !== "slow" && reason !== "stalled") return;
    const who = viewer.options.addr ?? `viewer ${viewer.id}`;
    const why = reason === "slow"
      ? `it was ${queueBytes} bytes behind ${optionText("viewerQueueBytes")}`
      : "it took nothing for too long";
    log.write("warn", `Cut off the viewer at ${who}: ${why}`, {
      viewer: who,
      reason,
      kind: "viewer cut off",
    });
  };

  const warnOfShortHistory = () => {
    if (now() - warnedAt < WARN_MS) return;
    warnedAt = now();
    const { messages, bytes } = history.evictedProtected;
    log.write(
      "warn",
      `Store infos, blueprints and static data alone are above ${limitBytes} bytes: late viewers ` +
        `miss the oldest ${messages} of them (--server-memory-limit, option limitBytes)`,
      { messages, bytes, limitBytes },
    );
  };

  const soundMessages = (batch: readonly SmartMessage[]) => {
    const msgs: LogMsg[] = [];
    for (const { payload } of batch) {
      if (payload.type !== "msg") continue;
      const { msg } = payload;
      // Corrupt Arrow data ends native viewers; it is still saved.
      if (!relayCorrupt && msg.kind === "ArrowMsg" && checkArrow(msg) !== undefined) corrupt++;
      else msgs.push(msg);
    }
    return msgs;
  };

  const give = (sound: readonly LogMsg[]) => {
    const all = Array.from(viewers);
    // Decoded messages: those on the wire and those in the history have no use for them.
    const isLive = all.some(({ caughtUp, place }) => caughtUp && place === undefined);
    const msgs = isLive ? keepable(sound) : withLargeKept(sound);
    const first = memory.lastSeq + 1;
    let bytes = 0;
    for (const { encoded } of msgs) bytes += encoded.bytes.length;
    history.add(msgs);
    giveWire(msgs, first);
    if (isLive) recent.push(msgs, first);
    else recent.clear();
    const isOnWire = all.every(({ place }) => place !== undefined);
    if (isOnWire) historyFrames.clear();
    // Decoded messages are short-lived garbage beside a history that is large.
    pressure.read(isOnWire ? bytes : 4 * bytes);
    for (const viewer of viewers) {
      viewer.note(msgs, bytes);
      viewer.rouse();
    }
  };

  const giveWire = (msgs: readonly LogMsg[], first: number) => {
    let last: Place | undefined;
    for (const { place } of viewers) {
      if (place !== undefined && place.offset <= (last?.offset ?? Infinity)) last = place;
    }
    if (last === undefined) return wire.clear();
    wire.push(msgs, first);
    wire.trim(last);
  };

  const close = async () => {
    for (const viewer of viewers) viewer.end();
    await Promise.race([Promise.all(Array.from(viewers, ({ left }) => left)), delay(CLOSE_MS)]);
    for (const viewer of viewers) viewer.close("closed");
  };

  return {
    name: "live viewers",
    write(batch: readonly SmartMessage[]): void {
      if (closing !== undefined) return;
      for (const message of batch) {
        recordings.note(message);
        if (message.payload.type === "quit" && message.payload.error !== undefined) clientErrors++;
      }
      give(soundMessages(batch));
      bridged.trim();
      if (history.trim()) warnOfShortHistory();
    },
    get refusal() {
      if (closing !== undefined) return new HubClosed();
      return viewers.size < maxViewers ? undefined : new TooManyViewers(maxViewers);
    },
    join(options: JoinOptions = {}) {
      const { refusal } = this;
      if (refusal instanceof TooManyViewers) refused++;
      if (refusal !== undefined) throw refusal;
      const belongs = (msg: LogMsg, recording: string) => recordings.belongs(msg, recording);
      const context: ViewerContext = {
        ...{ history, recent, wire, frames: historyFrames },
        ...{ queueBytes, belongs, onGone },
      };
      const viewer = new HubViewer(++joined, options, context);
      viewers.add(viewer);
      return viewer;
    },
    frame: (msg: LogMsg) => frames.get(msg),
    current: (msg: LogMsg) => bridged.get(msg),
    get recordings() {
      return recordings.summaries;
    },
    get stats() {
      const { kept, protected: spared, evicted, evictedProtected } = history;
      return {
        history: {
          ...kept,
          protected: { ...spared },
          evicted: { ...evicted },
          evictedProtected: { ...evictedProtected },
        },
        heldBytes: memory.bytes + frames.bytes + bridged.bytes,
        limitBytes,
        viewers: Array.from(viewers, ({ stats }) => stats),
        joined,
        refused,
        gone: { ...gone },
        clientErrors,
        leftOut: { ...frames.leftOut, unreadable: frames.leftOut.unreadable + corrupt },
        bridge: bridgeStats(bridged.counts),
      };
    },
    close: () => closing ??= close(),
  };
}

function bridgeStats({ bridged, damaged, untagged }: BridgeCounts): BridgeStats {
  return { bridged, damaged, untagged: Object.fromEntries(untagged) };
}

/** History and viewers share large messages, and copy small ones. */
function withLargeKept(msgs: readonly LogMsg[]): readonly LogMsg[] {
  return msgs.map((msg) =>
    Slab.takes(msg) || !isReused(msg.encoded.bytes) ? msg : copyOut([msg])[0]!
  );
}
