/**
 * What live viewers see of the hub: a place among the viewers, and what is counted.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import type { RecordingSummary } from "../stores/recordings.ts";
import type { LeftOut } from "../encoding/bincode/bincode_log_msg.ts";
import type { Log } from "../base/log.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import type { Tally } from "../base/tally.ts";
import type { Sink } from "../sinks/sink.ts";
import type { Thinned } from "./thin/thinner.ts";

export type { Thinned } from "./thin/thinner.ts";

/** Options of the hub; all may be left out. */
export interface ViewerHubOptions {
  /** Bytes of history for late viewers, all that sockets of viewers keep alive included; default 1 GiB. */
  readonly limitBytes?: number;
  /**
   * Has no effect any more, whatever it is; default 64 MiB.
   *
   * @deprecated a viewer falls behind in the log, and skips what is no longer there
   */
  readonly viewerQueueBytes?: number;
  /**
   * The age in seconds above which viewers are left out images, points and what else is heavy; each may ask
   * for another. Default `Infinity`: nothing is left out.
   */
  readonly viewerLatencySec?: number;
  /**
   * Viewers get the live edge first, and history backwards where it leaves room; each may ask for another
   * order. Default false: history first.
   */
  readonly newestFirst?: boolean;
  /** Viewers at once; default 256. */
  readonly maxViewers?: number;
  /** Passes corrupt Arrow data on as well; default false, for it ends native viewers. */
  readonly relayCorrupt?: boolean;
  /** Collects garbage, called while the history is large; default: nothing does but the runtime. */
  readonly collectGarbage?: (onlyBegin?: boolean) => void;
  /** Where cut-off viewers and a history that overflows are reported. */
  readonly log?: Log;
  /** Monotonic milliseconds; default `performance.now`. */
  readonly now?: Clock["now"];
  /** Milliseconds since the Unix epoch; default `Date.now`. */
  readonly date?: Clock["date"];
  /** Waits for so many milliseconds; default by a timer. */
  readonly delay?: Clock["delay"];
}

/** What a viewer wants of what was logged before it joined, and in which order. */
export type History = "all" | "none" | "newest-first";

/** What a viewer wants. */
export interface JoinOptions {
  /** How it is connected; default `"websocket"`. */
  readonly transport?: ViewerTransport;
  /** Names it in log lines. */
  readonly addr?: string;
  /** What it calls itself, to find itself in the counts. */
  readonly name?: string;
  /**
   * `"none"` starts at now; for `"newest-first"` what explains the rest is followed by the live edge, and
   * history comes backwards where that leaves room, unless it ends at now. Default that of the hub.
   */
  readonly history?: History;
  /** Only the recording of this id, with the blueprints of its application. */
  readonly recording?: string;
  /**
   * The age in seconds above which it is left out heavy messages, whole frames of them, so that what it is
   * given stays fresh on a slow link; `Infinity`: never. Default that of the hub.
   */
  readonly latencySec?: number;
  /** `"now"` ends with the newest message that is there when it joins; default: it goes on. */
  readonly until?: "now";
  /**
   * How the history is ordered: for `"viewer"` (default) store infos, blueprints and activations come
   * before chunks of recordings, as viewers to 0.22 need it; for `"kinds"` store infos, data of
   * blueprints, activations, static data, and then the rest, as newer ones need it; `"arrival"` is as it came.
   */
  readonly order?: "viewer" | "kinds" | "arrival";
  /** Leaves out what it returns false for; may be asked several times about a message. */
  readonly accepts?: (msg: LogMsg) => boolean;
  /** Called for each message that is not accepted. */
  readonly onLeftOut?: () => void;
}

/**
 * Why a viewer is gone: it left, it took nothing for too long, the hub was closed, or its connection
 * failed.
 */
export type ViewerGone = "left" | "stalled" | "closed" | "failed";

/** WebSocket frames that viewers share. */
export interface SharedFrames {
  /** Bytes of whole frames, one piece behind the other; not to be changed. */
  readonly pieces: readonly Uint8Array[];
  /** How many messages they are. */
  readonly messages: number;
  /** Bytes of all pieces. */
  readonly bytes: number;
  /** To be called once when the pieces are needed no more: their memory is used again. */
  readonly done: () => void;
}

/** One viewer's place at the hub; whoever serves it asks for what comes next. */
export interface Viewer {
  /** Counts up from 1. */
  readonly id: number;
  /** As it joined. */
  readonly options: JoinOptions;
  /**
   * The next messages, at least one; waits while there are none. One call at a time.
   *
   * @param maxBytes about how many bytes of them; a larger message comes alone
   * @returns `undefined` once the viewer is gone, or the hub closed and all was given
   */
  next(maxBytes: number): Promise<readonly LogMsg[] | undefined>;
  /**
   * Gives what comes next as WebSocket frames, which are made once for all viewers.
   *
   * @param maxBytes about how many bytes of them; a larger message comes alone
   */
  nextFrames(maxBytes: number): Promise<SharedFrames | undefined>;
  /** Adds to what the statistics say was sent to it. */
  sent(messages: number, bytes: number): void;
  /** Ends it; safe to call twice, the first reason stays. */
  close(reason: ViewerGone): void;
  /** Why it is gone; `undefined` while it is there. */
  readonly gone: ViewerGone | undefined;
  /** Resolves when it is gone. */
  readonly left: Promise<ViewerGone>;
  /** Whether it has been given all history. */
  readonly caughtUp: boolean;
}

/** How a viewer is connected. */
export type ViewerTransport = "websocket" | "http" | "grpc";

/** What is counted of all viewers that are connected in one way, those that have left included. */
export interface ViewerTotals {
  /** What was sent to them. */
  readonly sent: Tally;
  /** What was dropped from the log before they were given it. */
  readonly skipped: Tally;
  /** Frames of heavy messages given to those that are kept fresh. */
  readonly shownFrames: number;
  /** Frames of heavy messages left out to keep them fresh. */
  readonly thinnedFrames: number;
  /** All that was left out to keep them fresh, light messages too. */
  readonly thinned: Tally;
  /** Light messages of these. */
  readonly thinnedLightMessages: number;
}

/** What is counted of one viewer. */
export interface ViewerStats {
  /** Counts up from 1. */
  readonly id: number;
  /** How it is connected. */
  readonly transport: ViewerTransport;
  /** As it joined. */
  readonly addr: string | undefined;
  /** What it calls itself. */
  readonly name: string | undefined;
  /** Whether it has been given all history. */
  readonly caughtUp: boolean;
  /** What is behind its place in the log, once it has caught up; for all recordings. */
  readonly backlog: Tally;
  /** What was sent to it. */
  readonly sent: Tally;
  /** What was dropped from the log before it was given it. */
  readonly skipped: Tally;
  /** How old the oldest is that it was not given, of what came after it joined, in seconds; else 0. */
  readonly ageSec: number;
  /** What was left out to keep it fresh; `undefined` where it asks for all. */
  readonly thinned: Thinned | undefined;
}

/** What a hub counts. */
export interface HubStats {
  /** What is kept for late viewers. */
  readonly history: Tally & {
    /** Of these, what ordinary pressure never drops. */
    readonly protected: Tally;
    /** What was dropped to stay within the limit. */
    readonly evicted: Tally;
    /** Of these, what should have been kept, and did not fit the limit by itself. */
    readonly evictedProtected: Tally;
  };
  /** Memory of history and of what sockets take, together, each buffer counted once, in bytes. */
  readonly heldBytes: number;
  /** What that may be. */
  readonly limitBytes: number;
  /** Those that are there. */
  readonly viewers: readonly ViewerStats[];
  /** These and those that have left together, by how they are connected. */
  readonly totals: Readonly<Record<ViewerTransport, ViewerTotals>>;
  /** Viewers that ever joined. */
  readonly joined: number;
  /** Viewers that were refused because there were too many. */
  readonly refused: number;
  /** Viewers that went, by reason. */
  readonly gone: Readonly<Record<ViewerGone, number>>;
  /** SDKs that left by an error, such as a packet that could not be read. */
  readonly clientErrors: number;
  /** Messages that no frame could be made of, each counted once. */
  readonly leftOut: Readonly<Record<LeftOut, number>>;
  /** What viewers were given in today's form. */
  readonly bridge: BridgeStats;
}

/** What came of giving messages of SDK 0.17 to 0.22 today's form; what was made again counts again. */
export interface BridgeStats {
  /** Messages that got it. */
  readonly bridged: number;
  /** Chunks whose schema can't be read: their data is left as it came. */
  readonly damaged: number;
  /** Columns that got no archetype, by component: today's viewer lists them and does not draw them. */
  readonly untagged: Readonly<Record<string, number>>;
}

/** Where viewers join; a sink that never makes anybody wait. */
export interface ViewerHub extends Sink {
  /**
   * Adds a viewer.
   *
   * @throws {TooManyViewers} beyond the limit, or {@linkcode HubClosed} once it is closed
   */
  join(options?: JoinOptions): Viewer;
  /** Why nobody can join now: {@linkcode TooManyViewers} or {@linkcode HubClosed}. */
  readonly refusal: Error | undefined;
  /** The WebSocket message for a log message, made once for all viewers. */
  frame(msg: LogMsg): Uint8Array<ArrayBuffer> | LeftOut;
  /**
   * A message in the form of today's Rerun, made once for all viewers; the message itself if it has that
   * form, or none.
   */
  current(msg: LogMsg): LogMsg;
  /** Recordings that messages came for, the newest first; at most 10,000. */
  readonly recordings: readonly RecordingSummary[];
  /** Counts up to now. */
  readonly stats: HubStats;
}
