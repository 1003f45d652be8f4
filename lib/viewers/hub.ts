/**
 * The hub of live viewers: what they get, also if they join late, and what that may cost.
 *
 * @module
 */
import { askUnsentBytes } from "../adapters/tcp/unread_bytes.ts";
import { checkCallable, checkOptions, type OptionNames } from "../base/check_arguments.ts";
import { checkJoin } from "./_check_join.ts";
import { checkBoolean, checkLimits, checkPositive } from "../base/check_options.ts";
import { SYSTEM_CLOCK } from "../base/clock.ts";
import { VIEWER_LIMITS } from "../base/limit_table.ts";
import type { BridgeCounts } from "../bridge/mod.ts";
import { ArrowChecks } from "../encoding/arrow/arrow_check.ts";
import type { LeftOut } from "../encoding/bincode/bincode_log_msg.ts";
import { HubClosed, TooManyViewers } from "../base/errors.ts";
import { isReused } from "../memory/buffer_pool.ts";
import { copyOut, keepable } from "../flow/channel/copy_out.ts";
import { checkBatch } from "../flow/channel/check_batch.ts";
import type { SmartMessage } from "../flow/channel/smart_message.ts";
import { silentLog } from "../base/log.ts";
import { MemoryPressure } from "../memory/memory_pressure.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import { BridgedMessages } from "./frames/bridged_messages.ts";
import { FrameCache } from "./frames/frame_cache.ts";
import { LogFrames } from "./frames/log_frames.ts";
import { Wire } from "./frames/wire.ts";
import { Memory } from "./log/memory.ts";
import { Recent } from "./log/recent.ts";
import { Slab } from "./log/slab.ts";
import { bytesOf, ViewerLog } from "./log/viewer_log.ts";
import { Recordings } from "../stores/recordings.ts";
import { Arrivals } from "./thin/arrivals.ts";
import { type Form, HubViewer, type ViewerContext } from "./_viewer.ts";
import { TotalsOfViewers } from "./viewer_totals.ts";
import type { BridgeStats, JoinOptions, ViewerGone, ViewerHub, ViewerHubOptions } from "./types.ts";
import { plural } from "../base/plural.ts";

const NAMES: OptionNames<ViewerHubOptions> = {
  ...{ limitBytes: true, viewerQueueBytes: true, viewerLatencySec: true, maxViewers: true },
  ...{
    newestFirst: true,
    relayCorrupt: true,
    collectGarbage: true,
    log: true,
    now: true,
    date: true,
    delay: true,
  },
};

/** How long viewers may take what waits for them when the hub closes, in milliseconds. */
const CLOSE_MS = 500;

/** What share of the limit the newest messages may take in each other form. */
const FORM_SHARE = 1 / 8;

/**
 * If sockets alone keep more than the first share of the limit alive, the viewer that is furthest
 * behind skips to the newest at its next message; above the second share every viewer does.
 */
const PINNED_SHARES = [1 / 4, 1 / 2] as const;

/** How often a history is warned of that overflows with what should stay, in milliseconds. */
const WARN_MS = 10_000;

/** How many times its size a message takes while it is converted to another form. */
const MADE_COPIES = 3;

/**
 * Keeps what is logged for live viewers, as far as it fits, and gives it to them as it comes.
 *
 * Store infos, blueprints, activations and the latest static data of each entity stay; other chunks go
 * oldest first, once memory is above the limit. A viewer is a place in what is kept: nobody waits for
 * it, and where its next messages were dropped it skips to the oldest that are there. Late viewers get
 * the history in the order of Rerun 0.22.1, or the newest first.
 *
 * @param options limits
 * @throws {RangeError} if a limit is not above 0
 * @throws {TypeError} if there is no such option
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
  checkOptions("viewerHub", options, NAMES);
  checkCallable(options, ["collectGarbage", "now", "date", "delay"]);
  const {
    limitBytes = 1024 * 1024 * 1024,
    maxViewers = VIEWER_LIMITS.maxViewers.default,
    viewerQueueBytes = VIEWER_LIMITS.viewerQueueBytes.default,
    viewerLatencySec = Infinity,
    newestFirst = false,
    relayCorrupt = false,
    collectGarbage = () => {},
    log = silentLog,
    now = SYSTEM_CLOCK.now,
    date = SYSTEM_CLOCK.date,
    delay = SYSTEM_CLOCK.delay,
  } = options;
  checkPositive("limitBytes", limitBytes);
  checkPositive("viewerLatencySec", viewerLatencySec);
  checkLimits({ viewerQueueBytes, maxViewers });
  checkBoolean("relayCorrupt", relayCorrupt);
  checkBoolean("newestFirst", newestFirst);
  const memory = new Memory();
  const checks = new ArrowChecks((more) => memory.add(more), limitBytes * FORM_SHARE);
  const viewers = new Set<HubViewer>();
  const history = new ViewerLog(limitBytes, memory, (item) => {
    for (const viewer of viewers) viewer.miss(item);
  });
  const recent = new Recent(memory, limitBytes * FORM_SHARE);
  const frames = new FrameCache();
  const arrivals = new Arrivals();
  const onLeftOut = (msg: LogMsg, why: LeftOut) => frames.leaveOut(msg, why);
  const settings = { memory, spare: [], onLeftOut };
  const wire = new Wire(limitBytes * FORM_SHARE, settings);
  const logFrames = new LogFrames(settings);
  const pressure = new MemoryPressure(collectGarbage, {
    limitBytes,
    get bytes() {
      return memory.bytes;
    },
  }, now);
  const bridged = new BridgedMessages(
    limitBytes,
    () => memory.bytes + frames.bytes,
    // The memory for converting is garbage as soon as the message is sent.
    (bytes) => pressure.read(MADE_COPIES * bytes),
  );
  const recordings = new Recordings(date);
  const gone: Record<ViewerGone, number> = { left: 0, stalled: 0, closed: 0, failed: 0 };
  const totals = new TotalsOfViewers();
  let joined = 0;
  let refused = 0;
  let corrupt = 0;
  let clientErrors = 0;
  let warnedAt = -Infinity;
  let closing: Promise<void> | undefined;

  const onGone = (viewer: HubViewer, reason: ViewerGone) => {
    viewers.delete(viewer);
    totals.left(viewer.stats);
    gone[reason]++;
    // Viewers at WebSockets may still get the frames that were sent.
    const isUsed = Array.from(viewers).some(({ options: { transport } }) =>
      transport === "http" || transport === "grpc"
    );
    if (!isUsed) bridged.clear();
    if (reason !== "stalled") return;
    const who = nameOf(viewer);
    log.write("warn", `Cut off the viewer at ${who}: it took nothing for too long`, {
      viewer: who,
      reason,
      kind: "viewer cut off",
    });
  };

  const onSkip = (viewer: HubViewer) => {
    const who = nameOf(viewer);
    const text = `The viewer at ${who} is behind all that is kept and skips to the oldest ` +
      "(--server-memory-limit, option limitBytes)";
    log.write("warn", text, { viewer: who, limitBytes, kind: "viewer skips" });
  };

  const skipTo = (viewer: HubViewer): number | undefined => {
    const [some, most] = PINNED_SHARES;
    const { lastSeq } = history;
    if (memory.pinned <= limitBytes * some || viewer.place === undefined) return undefined;
    if (memory.pinned > limitBytes * most) return lastSeq;
    const newest = (history.items.last?.seq ?? lastSeq + 1) - 1;
    if (viewer.at >= newest) return undefined;
    for (const { at } of viewers) if (at < viewer.at) return undefined;
    return newest;
  };

  const warnOfShortHistory = () => {
    if (now() - warnedAt < WARN_MS) return;
    warnedAt = now();
    const { messages, bytes } = history.evictedProtected;
    log.write(
      "warn",
      `Store infos, blueprints and static data alone are above ${
        plural(limitBytes, "byte")
      }: late viewers ` +
        `miss the oldest ${messages} of them (--server-memory-limit, option limitBytes)`,
      { messages, bytes, limitBytes },
    );
  };

  const soundMessages = (batch: readonly SmartMessage[]) => {
    const msgs: LogMsg[] = [];
    for (const { payload } of batch) {
      if (payload.type !== "msg") continue;
      const { msg } = payload;
      // Left out, since corrupt Arrow data ends native viewers; it is still saved.
      if (!relayCorrupt && msg.kind === "ArrowMsg" && !checks.isSound(msg)) corrupt++;
      else msgs.push(msg);
    }
    return msgs;
  };

  const give = (sound: readonly LogMsg[]) => {
    // Decoded messages are kept only if a viewer at the live edge takes messages, not frames.
    const isLive = furthest("messages", (at) => at === history.lastSeq || recent.covers(at)) !==
      undefined;
    const msgs = isLive ? keepable(sound) : withLargeKept(sound);
    const place = furthest("frames", (at) => wire.covers(at, history.lastSeq));
    const first = history.lastSeq + 1;
    const bytes = bytesOf(msgs);
    noteArrivals(msgs, first);
    history.add(msgs);
    if (place === undefined) wire.clear();
    else {
      wire.push(msgs, first);
      wire.trim(place);
    }
    if (isLive) recent.push(msgs, first);
    else recent.clear();
    const isOnWire = Array.from(viewers).every(({ at, form }) =>
      form === "frames" && wire.covers(at, history.lastSeq)
    );
    if (isOnWire) logFrames.clear();
    // Decoded messages are much garbage beside a large history.
    pressure.read(isOnWire ? bytes : 4 * bytes);
    for (const viewer of viewers) viewer.rouse();
  };

  /** Notes arrival times, unless there is no viewer. */
  const noteArrivals = (msgs: readonly LogMsg[], first: number) => {
    if (viewers.size === 0) return arrivals.clear();
    arrivals.push(msgs, first, now(), Array.from(viewers).some(({ isThinned }) => isThinned));
    arrivals.trim(history.items.oldest()?.seq ?? first);
  };

  /**
   * The place that is furthest behind, of viewers that can be served from a window of the newest
   * messages.
   */
  const furthest = (form: Form, covers: (at: number) => boolean): number | undefined => {
    let furthest: number | undefined;
    for (const { form: wanted, place } of viewers) {
      if (wanted !== form || place === undefined || !covers(place)) continue;
      furthest = Math.min(furthest ?? place, place);
    }
    return furthest;
  };

  const close = async () => {
    for (const viewer of viewers) viewer.end();
    await Promise.race([Promise.all(Array.from(viewers, ({ left }) => left)), delay(CLOSE_MS)]);
    for (const viewer of viewers) viewer.close("closed");
  };

  return {
    name: "live viewers",
    write(batch: readonly SmartMessage[]): void {
      checkBatch(batch);
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
      checkJoin(options);
      const { refusal } = this;
      if (refusal instanceof TooManyViewers) refused++;
      if (refusal !== undefined) throw refusal;
      const belongs = (msg: LogMsg, recording: string) => recordings.belongs(msg, recording);
      const context: ViewerContext = {
        ...{ log: history, recent, wire, frames: logFrames, arrivals, now },
        ...{ belongs, skipTo, delay, onSkip, onGone },
      };
      const defaults: JoinOptions = {
        latencySec: options.until === "now" ? Infinity : viewerLatencySec,
        history: newestFirst ? "newest-first" : "all",
      };
      const viewer = new HubViewer(++joined, { ...defaults, ...options }, context);
      viewers.add(viewer);
      return viewer;
    },
    unsentBytes: askUnsentBytes(),
    frame: (msg: LogMsg) => frames.get(msg),
    current: (msg: LogMsg) => bridged.get(msg),
    get recordings() {
      return recordings.summaries;
    },
    get stats() {
      const { kept, protected: spared, evicted, evictedProtected } = history;
      const present = Array.from(viewers, ({ stats }) => stats);
      return {
        history: {
          ...kept,
          protected: { ...spared },
          evicted: { ...evicted },
          evictedProtected: { ...evictedProtected },
        },
        heldBytes: memory.bytes + frames.bytes + bridged.bytes,
        limitBytes,
        viewers: present,
        totals: totals.with(present),
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

function nameOf({ id, options }: HubViewer): string {
  return options.addr ?? `viewer ${id}`;
}

/**
 * Makes messages that can be kept: large ones are shared by log and viewers, small ones are copied.
 */
function withLargeKept(msgs: readonly LogMsg[]): readonly LogMsg[] {
  return msgs.map((msg) =>
    Slab.takes(msg) || !isReused(msg.encoded.bytes) ? msg : copyOut([msg])[0]!
  );
}
