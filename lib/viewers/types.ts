/**
 * The interface of the hub: options, viewers and counts.
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
   * Has no effect any more; default 64 MiB.
   *
   * @deprecated a viewer falls behind in the log, and skips what is no longer there
   */
  readonly viewerQueueBytes?: number;
  /**
   * Age in seconds above which images, points and other heavy data are left out for a viewer; each
   * viewer may ask for another. Default `Infinity`: nothing is left out.
   */
  readonly viewerLatencySec?: number;
  /**
   * Whether viewers get the live edge first, and history backwards when that leaves room; each
   * viewer may ask for another order. Default false: history first.
   */
  readonly newestFirst?: boolean;
  /** Viewers at once; default 256. */
  readonly maxViewers?: number;
  /** Passes corrupt Arrow data on as well; default false, for it ends native viewers. */
  readonly relayCorrupt?: boolean;
  /** Collects garbage; called while the history is large. Default: left to the runtime. */
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

/** Which history a viewer wants, and in which order. */
export type History = "all" | "none" | "newest-first";

/** What a viewer wants. */
export interface JoinOptions {
  /** How it is connected; default `"websocket"`. */
  readonly transport?: ViewerTransport;
  /** Names it in log lines. */
  readonly addr?: string;
  /** A name of its own, by which it finds itself in the counts. */
  readonly name?: string;
  /**
   * `"none"` starts at now. With `"newest-first"` the live edge comes right after what explains it,
   * and history comes backwards when that leaves room, unless `until` is set. Default that of the
   * hub.
   */
  readonly history?: History;
  /** Only the recording of this id, with the blueprints of its application. */
  readonly recording?: string;
  /**
   * Age in seconds above which heavy messages are left out for it, whole frames at a time, so that
   * it stays fresh on a slow link; `Infinity` for never. Default that of the hub.
   */
  readonly latencySec?: number;
  /** `"now"` ends with the newest message that is there when it joins; default: goes on. */
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
  /** Must be called once when the pieces are no longer needed, since their memory is used again. */
  readonly done: () => void;
}

/** One viewer's place at the hub; whoever serves it asks for what comes next. */
export interface Viewer {
  /** Counts up from 1. */
  readonly id: number;
  /** The options with which it joined. */
  readonly options: JoinOptions;
  /**
   * Gives the next messages, at least one; waits while there are none. One call at a time.
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
  /** Its address, from the options with which it joined. */
  readonly addr: string | undefined;
  /** What it calls itself. */
  readonly name: string | undefined;
  /** Whether it has been given all history. */
  readonly caughtUp: boolean;
  /** How much of the log is after its place, once it has caught up; of all recordings. */
  readonly backlog: Tally;
  /** What was sent to it. */
  readonly sent: Tally;
  /** How much was dropped from the log before it got there. */
  readonly skipped: Tally;
  /**
   * Age in seconds of the oldest message that it was not given, of those that came after it joined;
   * 0 if there is none.
   */
  readonly ageSec: number;
  /** What was left out to keep it fresh; `undefined` if it asks for everything. */
  readonly thinned: Thinned | undefined;
}

/** What a hub counts. */
export interface HubStats {
  /** What is kept for late viewers. */
  readonly history: Tally & {
    /** How much of that is spared when the oldest are dropped. */
    readonly protected: Tally;
    /** What was dropped to stay within the limit. */
    readonly evicted: Tally;
    /** How much of that should have been kept, but did not fit the limit by itself. */
    readonly evictedProtected: Tally;
  };
  /** Memory of history and of what sockets hold, in bytes; each buffer is counted once. */
  readonly heldBytes: number;
  /** The limit of these bytes. */
  readonly limitBytes: number;
  /** The viewers that are there. */
  readonly viewers: readonly ViewerStats[];
  /** These and those that have left together, by how they are connected. */
  readonly totals: Readonly<Record<ViewerTransport, ViewerTotals>>;
  /** How many viewers ever joined. */
  readonly joined: number;
  /** How many viewers were refused, because there were too many. */
  readonly refused: number;
  /** How many viewers are gone, by reason. */
  readonly gone: Readonly<Record<ViewerGone, number>>;
  /** SDKs that left with an error, such as a packet that could not be read. */
  readonly clientErrors: number;
  /** Messages that no frame could be made of, each counted once. */
  readonly leftOut: Readonly<Record<LeftOut, number>>;
  /** Counts of messages in today's form. */
  readonly bridge: BridgeStats;
}

/**
 * Counts of messages of SDK 0.17 to 0.22 that were given today's form; one that was made again
 * counts again.
 */
export interface BridgeStats {
  /** Messages that got it. */
  readonly bridged: number;
  /** Chunks whose schema can't be read: their data is left as it came. */
  readonly damaged: number;
  /** Columns that got no archetype, by component: today's viewer lists them and does not draw them. */
  readonly untagged: Readonly<Record<string, number>>;
}

/** The hub that viewers join; as a sink it never makes anybody wait. */
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
  /** The recordings that messages came for, the newest first; at most 10,000. */
  readonly recordings: readonly RecordingSummary[];
  /** Counts up to now. */
  readonly stats: HubStats;
  /**
   * Tells how many bytes the system still holds for a viewer, by its address, or `undefined`: what its
   * doors use where their options have no `unsentBytes`, so that all viewers share looks at the system.
   */
  readonly unsentBytes?: (addr: string) => Promise<number | undefined>;
}
