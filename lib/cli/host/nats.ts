/**
 * Lets a server receive what boxes have sent to NATS; loaded only with `--from`.
 *
 * @module
 */
import { SYSTEM_CLOCK } from "../../base/clock.ts";
import { reason } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { NatsPosition } from "../../forward/nats_position.ts";
import { type FromNats, fromNats, type FromNatsStats } from "../../server/from_nats.ts";
import type { Server } from "../../server/server.ts";
import type { FileFollower } from "../../sinks/file/parts/follower.ts";
import type { RrdFileSink } from "../../sinks/file/rrd_file.ts";
import { hasSerialNames, parseSavePattern } from "../../sinks/file/save_pattern.ts";
import type { NatsCredentials } from "../../nats/connection.ts";
import type { ServerStatus } from "../../viewers/serve/status.ts";
import type { Sink } from "../../sinks/sink.ts";
import { formatDuration } from "../terminal/units.ts";
import type { FromArgs } from "../args/from_args.ts";

/** How often the position is noted, in milliseconds. */
const NOTE_MS = 1000;

/** After so many seconds without the stream a server is not ready. */
const GONE_SEC = 60;

/** What an intake needs besides its arguments. */
export interface NatsIntakeContext {
  readonly credentials: NatsCredentials;
  readonly log: Log;
  /** The id under which this program itself sends to NATS, if it does. */
  readonly own?: (() => Promise<string>) | undefined;
}

/** Receives by NATS, from the start of the program to its end. */
export class NatsIntake {
  readonly #from: FromArgs;
  readonly #context: NatsIntakeContext;
  readonly #log: Log;
  readonly #position: NatsPosition | undefined;
  readonly #stop = new AbortController();
  #feed: FromNats | undefined;
  /** Why it could not begin. */
  #failure: string | undefined;
  #stopNoting = () => {};

  /**
   * @param from what to receive
   * @param savePath where messages are saved, if they are
   * @param context credentials and the log
   */
  constructor(
    from: FromArgs,
    savePath: string | undefined,
    context: NatsIntakeContext,
  ) {
    const { log } = context;
    this.#from = from;
    this.#context = context;
    this.#log = log;
    const isSerial = savePath !== undefined && hasSerialNames(parseSavePattern(savePath));
    this.#position = isSerial ? new NatsPosition() : undefined;
    if (savePath === undefined || isSerial) return;
    const text = "Without {part}, {date} or {time} in --save nobody notes how far NATS was read: " +
      "the next start receives again all that is there";
    log.write("warn", text);
  }

  /** Followers for the file sink. */
  get followers(): readonly FileFollower[] {
    return this.#position === undefined ? [] : [this.#position];
  }

  /** Counts up to now. */
  get stats(): FromNatsStats | undefined {
    return this.#feed?.stats;
  }

  /** Figures for the page and for monitoring. */
  get figures(): Pick<ServerStatus, "nats" | "fleet"> {
    const feed = this.#feed;
    return feed === undefined ? {} : { nats: feed.stats, fleet: () => feed.boxes };
  }

  /** Why nothing is received, for `/readyz`; `undefined` while the stream is read. */
  get trouble(): string | undefined {
    if (this.#failure !== undefined) return this.#failure;
    return troubleOf(this.stats);
  }

  /** A sink that must come after those that keep messages. */
  get sink(): Sink {
    return {
      name: "NATS",
      write: (batch) => this.#feed?.received(batch),
      close: () => {
        this.#stop.abort();
        this.#stopNoting();
        return Promise.resolve();
      },
    };
  }

  /**
   * Begins to receive, after all that an earlier run left is recovered.
   *
   * @param server to join
   * @param file that keeps what comes, if one does
   */
  async begin(server: Pick<Server, "join">, file: RrdFileSink | undefined): Promise<void> {
    const { nats, ...from } = this.#from;
    const log = this.#log;
    try {
      await file?.recovered;
      const start = await this.#position?.start(this.#stop.signal);
      const { credentials, own } = this.#context;
      if (this.#stop.signal.aborted) return;
      const { note, skip } = start ?? {};
      const feed = this.#feed = fromNats({
        ...from,
        ...credentials,
        replicas: nats.replicas,
        log,
        ...(own !== undefined && { own }),
        ...(note !== undefined && { note }),
        ...(skip !== undefined && { skip }),
      });
      if (file !== undefined) this.#keepNoting(feed, file);
      server.join(feed);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#failure = `Nothing is received from NATS: ${reason(error)}`;
      log.write("error", this.#failure);
    }
  }

  #keepNoting(feed: FromNats, file: RrdFileSink): void {
    const position = this.#position;
    if (position === undefined) return;
    let lost = file.lost.messages;
    const note = () => {
      if (position.isNoting) return;
      lost = file.lost.messages;
      position.note(feed.changes(), file, () => feed.note()).catch((error) => {
        const text = `How far NATS was read can't be noted: ${reason(error)}`;
        this.#log.write("warn", text, { kind: "nats position" });
      });
    };
    // Noted before anything comes: what is in the files by now did not come by this stream.
    note();
    this.#stopNoting = SYSTEM_CLOCK.every(NOTE_MS, note);
    position.onClosed = () => file.lost.messages === lost ? feed.note() : undefined;
  }
}

/**
 * Why nothing is received by a feed, for `/readyz`; `undefined` while the stream is read. A server of NATS
 * that is started anew is back within a minute, and no reason to send people elsewhere.
 *
 * @param stats of the feed; `undefined` before it has begun
 */
export function troubleOf(
  stats: Pick<FromNatsStats, "name" | "wasConnected" | "outageSec"> | undefined,
): string | undefined {
  if (stats === undefined) return "what an earlier run left is recovered first";
  const { name, wasConnected, outageSec } = stats;
  if (!wasConnected) return `nothing could be read from ${name} so far`;
  if (outageSec <= GONE_SEC) return undefined;
  return `nothing could be read from ${name} for ${formatDuration(Math.round(outageSec))}`;
}
