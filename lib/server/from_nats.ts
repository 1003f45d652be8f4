/**
 * Receives what boxes have sent to NATS, as if each box had connected to this server.
 *
 * @module
 */
import {
  checkCallable,
  checkGiven,
  checkOptions,
  hasMethods,
  type OptionNames,
} from "../base/check_arguments.ts";
import {
  checkCount,
  checkObject,
  checkPositive,
  checkText,
  checkTexts,
} from "../base/check_options.ts";
import { untilAborted } from "../base/until_aborted.ts";
import { type Clock, SYSTEM_CLOCK } from "../base/clock.ts";
import { type Log, silentLog } from "../base/log.ts";
import type { SmartMessage } from "../flow/channel/smart_message.ts";
import { parseNatsAddress } from "../nats/address.ts";
import {
  checkAccess,
  connectNats,
  CREDENTIAL_NAMES,
  type Nats,
  type NatsCredentials,
} from "../nats/connection.ts";
import { ensureStream, STREAM } from "../nats/stream.ts";
import { StreamReader } from "../nats/stream_reader.ts";
import { filterSubjects, type SubjectFilter } from "../nats/subjects.ts";
import type { ClientStats } from "./client_stats.ts";
import type { FleetBox } from "./nats_fleet.ts";
import type { Feed, FeedHost } from "./feed.ts";
import { readRange } from "../nats/read_range.ts";
import type { ReadAgain } from "./nats_parts.ts";
import { readBefore } from "./nats_covered.ts";
import { NatsIntake } from "./nats_intake.ts";
import type { NatsIntakeStats } from "./nats_intake_stats.ts";
import type { NatsNote } from "./nats_note.ts";
import { NatsReading, type NatsReadingStats } from "./nats_reading.ts";

/** Which server of NATS, by which credentials, and which of the subjects. */
export interface FromNatsOptions extends NatsCredentials, SubjectFilter {
  /** Such as `nats://host:4222`; several servers of one cluster are separated by commas. */
  readonly url: string;
  /** How many servers hold a copy of each message, if the stream has to be made; default 1. */
  readonly replicas?: number;
  /** Bytes that are asked for at once; default 8 MiB, and at least twice the largest message. */
  readonly pullBytes?: number;
  /** How far an earlier run came; left out, all that the stream still holds comes. */
  readonly note?: NatsNote;
  /**
   * How many messages of each recording were kept beyond the note: they are left out when they come
   * again.
   */
  readonly skip?: ReadonlyMap<string, number>;
  /**
   * The `instance` of a `natsTarget` of this program: what that sent is left out if it comes back,
   * or it would go round without end. A function is asked for it at each connection; default none.
   */
  readonly own?: string | (() => Promise<string>);
  /** Where log lines go; default nowhere. */
  readonly log?: Log;
}

const NAMES: OptionNames<FromNatsOptions> = {
  ...{ url: true, replicas: true, pullBytes: true, note: true, skip: true, log: true, own: true },
  ...{ boxes: true, applications: true, recordings: true, ...CREDENTIAL_NAMES },
};

/** Counts of a feed, and how its connection is. */
export interface FromNatsStats extends NatsIntakeStats, NatsReadingStats {
  /** The address, without what is secret. */
  readonly name: string;
}

/** A feed of what boxes sent to NATS. */
export interface FromNats extends Feed {
  /** The address, without what is secret. */
  readonly name: string;
  /** Counts up to now. */
  readonly stats: FromNatsStats;
  /** The boxes that were heard of, each with its recordings; the one heard of first comes first. */
  readonly boxes: readonly FleetBox[];
  /**
   * How far all was received, and what came of each recording up to there: what the next run is
   * given as `note`.
   */
  note(): NatsNote;
  /**
   * As `note`, but of what came only that which has changed since the last call.
   *
   * @internal
   */
  changes(): NatsNote;
}

const MIB = 1024 * 1024;
const PULL_BYTES = 8 * MIB;
const RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;
/**
 * When the clocks of two machines differ by more than this, in milliseconds, it is told: latencies
 * are wrong then.
 */
const MAX_SKEW_MS = 1000;

/**
 * Makes a feed that a server may join: several servers may read one stream, and each gets all of it.
 *
 * @param options the server of NATS, credentials, and which subjects
 * @throws {RangeError} if the address is not one of NATS, or an option is out of its range
 * @throws {TypeError} if there is no such option
 *
 * @example
 * ```ts
 * import { fromNats } from "@rerelay/server/nats";
 * import { assertEquals } from "@std/assert";
 *
 * const feed = fromNats({ url: "nats://user:secret@nats.example", boxes: ["box-7"] });
 * // server.join(feed);
 * assertEquals(feed.name, "nats://nats.example:4222");
 * ```
 */
export function fromNats(options: FromNatsOptions): FromNats {
  checkOptions("fromNats", options, NAMES);
  checkAccess(options);
  const { replicas, pullBytes, own, note, skip } = options;
  if (note !== undefined) checkNote(note);
  checkGiven("fromNats", "skip, a Map of counts", !skip || hasMethods(skip, "entries"), skip);
  if (own !== undefined && typeof own !== "function") checkText("own", own);
  if (replicas !== undefined) checkCount("replicas", replicas);
  if (pullBytes !== undefined) checkPositive("pullBytes", pullBytes);
  for (const name of ["boxes", "applications", "recordings"] as const) {
    if (options[name] !== undefined) checkTexts(name, options[name], '["one"]');
  }
  checkCallable(options);
  return new NatsFeed(options);
}

/** Refuses what no feed has noted, with which nothing would come, or what had come before. */
function checkNote(note: NatsNote): void {
  checkObject("note", note, "{ seq, seen, beyond }, as note() of a feed gives");
  const { seq, seen, beyond } = note;
  if (!Number.isSafeInteger(seq) || seq < 0) {
    throw new RangeError(`note.seq must be a whole number, 0 or more, not ${String(seq)}`);
  }
  if (!Array.isArray(seen)) throw new RangeError("note.seen must be a list");
  if (!Array.isArray(beyond)) throw new RangeError("note.beyond must be a list");
}

class NatsFeed implements FromNats {
  readonly name: string;
  readonly #options: FromNatsOptions;
  readonly #log: Log;
  readonly #stop = new AbortController();
  readonly #subjects: readonly string[];
  readonly #early: NatsNote;
  #intake: NatsIntake | undefined;
  #created: string | undefined;
  #nats: Nats | undefined;
  readonly #reading: NatsReading;
  #toldSkewMs = 0;
  #running: Promise<void> | undefined;

  constructor(options: FromNatsOptions) {
    this.name = parseNatsAddress(options.url).name;
    this.#subjects = filterSubjects(options);
    this.#options = options;
    this.#log = options.log ?? silentLog;
    this.#reading = new NatsReading(this.name, this.#log);
    const { note, skip } = options;
    this.#created = note?.created;
    const early: NatsNote = note ?? { seq: 0, seen: [], beyond: [] };
    this.#early = {
      ...early,
      ...readBefore(early, this.#subjects),
      ...(skip !== undefined && { beyond: [...skip] }),
    };
  }

  get clients(): readonly { readonly stats: ClientStats }[] {
    return this.#intake?.clients ?? [];
  }

  get boxes(): readonly FleetBox[] {
    return this.#intake?.fleet.boxes ?? [];
  }

  get stats(): FromNatsStats {
    const { name } = this;
    const none = { position: this.#early.seq, pending: 0, lagSec: 0, ageSec: 0 };
    const counts = { messages: 0, repeated: 0, refused: 0, underWay: 0 };
    const fleet = { boxes: 0, live: 0, recordings: 0 };
    return {
      ...{ name, ...this.#reading.stats, ...none, ...counts, ...fleet, ...this.#intake?.stats },
    };
  }

  start(host: FeedHost): void {
    if (this.#running !== undefined) {
      throw new Error(`${this.name} has been joined to a server already`);
    }
    this.#intake = new NatsIntake(host, {
      note: this.#early,
      skip: this.#options.skip ?? new Map(),
      log: this.#log,
    });
    this.#reading.begin(host.context.options.now);
    this.#running = this.#run(host, this.#intake);
  }

  received(batch: readonly SmartMessage[]): void {
    this.#intake?.received(batch);
  }

  note(): NatsNote {
    return this.#whose(this.#intake?.note());
  }

  changes(): NatsNote {
    return this.#whose(this.#intake?.note(true));
  }

  #whose(note: NatsNote = this.#early): NatsNote {
    const created = this.#created;
    return { ...note, subjects: this.#subjects, ...(created !== undefined && { created }) };
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#intake?.quit();
  }

  /** Never rejects. */
  async #run(host: FeedHost, intake: NatsIntake): Promise<void> {
    const { delay, now } = host.context.options;
    const { signal } = this.#stop;
    let retryMs = RETRY_MS;
    while (!signal.aborted) {
      try {
        // An attempt to connect can't be called off: it ends by itself after some seconds.
        const { nats, created, after, pullBytes } = await untilAborted(
          signal,
          this.#connect(intake, signal),
        );
        this.#nats = nats;
        retryMs = RETRY_MS;
        const wait: Clock["delay"] = (ms) => this.#wait(ms, delay);
        const clock = { ...SYSTEM_CLOCK, now, delay: wait };
        const stream = { nats, created, pullBytes, clock, log: this.#log };
        const reader = new StreamReader({
          ...stream,
          ...{ subjects: this.#subjects, after },
          onReading: (isReading) => this.#reading.changed(isReading),
          onFailure: (error) => this.#reading.tellLost(error),
          // From then on by the monotonic clock, as somebody may set the other one.
          onTime: (ts) => intake.atNats = { date: this.#dateAtNats(ts), now: now() },
        });
        const again: ReadAgain = (...what) => readRange(stream, ...what, signal);
        for await (const message of reader.read(signal)) await intake.take(message, again);
      } catch (error) {
        if (signal.aborted) break;
        this.#reading.tellFailed(`now, and tries again in ${retryMs / 1000} s`, error);
        await this.#wait(retryMs, delay);
        retryMs = Math.min(2 * retryMs, MAX_RETRY_MS);
      } finally {
        this.#reading.changed(false);
        await this.#nats?.connection.close();
      }
    }
  }

  /** Connects, and closes the connection where the feed was closed meanwhile. */
  async #connect(intake: NatsIntake, signal: AbortSignal) {
    const { replicas = 1, pullBytes = PULL_BYTES, own } = this.#options;
    intake.own = typeof own === "function" ? await own() : own;
    signal.throwIfAborted();
    const onLink = (isThere: boolean) => {
      if (!isThere) this.#reading.changed(false);
    };
    const nats = await connectNats({
      ...this.#options,
      clientName: "rerelay --from",
      onLink,
      onFailure: (error) => this.#reading.tellLost(error),
    });
    try {
      signal.throwIfAborted();
      const stream = await ensureStream(nats.manager, { replicas, log: this.#log });
      signal.throwIfAborted();
      const { last_seq: last } = stream.state;
      let after = intake.lastSeq;
      const isAnother = this.#created !== undefined && this.#created !== stream.created;
      this.#created = stream.created;
      const read = Math.max(after, intake.coveredSeq);
      if (read > 0 && (isAnother || read > last)) {
        const text = `The stream ${STREAM} of ${this.name} was made anew: it ends with message ` +
          `${last}, and ${read} were read of the one before. It is read from its beginning`;
        this.#log.write("warn", text, { nats: this.name, kind: "stream made anew" });
        after = 0;
        intake.beginsAnew();
      }
      intake.begins(stream.state.first_seq);
      const largest = nats.connection.info?.max_payload ?? MIB;
      this.#log.write("info", `Receives from the stream ${STREAM} of ${this.name}`, {
        nats: this.name,
        after,
      });
      const { created } = stream;
      return { nats, created, after, pullBytes: Math.max(pullBytes, 2 * largest + MIB) };
    } catch (error) {
      await nats.connection.close();
      throw error;
    }
  }

  /**
   * The time at NATS, in milliseconds since the Unix epoch: ours, where it differs too little to
   * matter; if not, that is told.
   */
  #dateAtNats(ts: string | undefined): number {
    const date = SYSTEM_CLOCK.date();
    const told = Date.parse(ts ?? "");
    const skewMs = date - told;
    if (!(Math.abs(skewMs) > MAX_SKEW_MS)) return date;
    if (Math.abs(skewMs - this.#toldSkewMs) < MAX_SKEW_MS) return told;
    this.#toldSkewMs = skewMs;
    const text = `The clock of ${this.name} is ${Math.abs(skewMs / 1000).toFixed(1)} s ` +
      `${skewMs > 0 ? "behind" : "before"} this one's: delays are told by its clock`;
    this.#log.write("warn", text, { nats: this.name, kind: "clock skew" });
    return told;
  }

  /** Waits; ends early when the feed is closed. */
  async #wait(ms: number, delay: Clock["delay"]): Promise<void> {
    const { signal } = this.#stop;
    if (signal.aborted) return;
    const stopped = Promise.withResolvers<void>();
    const stop = () => stopped.resolve();
    signal.addEventListener("abort", stop, { once: true });
    await Promise.race([delay(ms), stopped.promise]);
    signal.removeEventListener("abort", stop);
  }
}
