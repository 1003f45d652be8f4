/**
 * Receives what boxes have sent to NATS, as if each box had connected to this server.
 *
 * @module
 */
import { checkCallable, checkOptions, type OptionNames } from "../base/check_arguments.ts";
import { checkCount, checkPositive, checkText, checkTexts } from "../base/check_options.ts";
import { type Clock, SYSTEM_CLOCK } from "../base/clock.ts";
import { type Log, type LogLevel, silentLog } from "../base/log.ts";
import { reason } from "../base/errors.ts";
import type { SmartMessage } from "../flow/channel/smart_message.ts";
import { parseNatsAddress } from "../nats/address.ts";
import {
  checkAccess,
  connectNats,
  CREDENTIAL_NAMES,
  type Nats,
  type NatsCredentials,
} from "../nats/connection.ts";
import { refusalOf } from "../nats/refusal.ts";
import { ensureStream, STREAM } from "../nats/stream.ts";
import { StreamReader } from "../nats/stream_reader.ts";
import { filterSubjects, type SubjectFilter } from "../nats/subjects.ts";
import type { ClientStats } from "./client_stats.ts";
import type { FleetBox } from "./nats_fleet.ts";
import type { Feed, FeedHost } from "./feed.ts";
import { NatsIntake, type NatsIntakeStats } from "./nats_intake.ts";
import type { NatsNote } from "./nats_note.ts";

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
export interface FromNatsStats extends NatsIntakeStats {
  /** The address, without what is secret. */
  readonly name: string;
  /** Whether the stream can be read now. */
  readonly connected: boolean;
  /** Whether it could be read at any time. */
  readonly wasConnected: boolean;
  /** For how long it could not be read, in seconds; 0 while it can. */
  readonly outageSec: number;
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
}

const MIB = 1024 * 1024;
const PULL_BYTES = 8 * MIB;
const RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;
/**
 * A connection that is lost is told of after so many milliseconds: before, another server of the cluster
 * may take it.
 */
const TAKEOVER_MS = 2000;
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
  const { replicas, pullBytes, own } = options;
  if (own !== undefined && typeof own !== "function") checkText("own", own);
  if (replicas !== undefined) checkCount("replicas", replicas);
  if (pullBytes !== undefined) checkPositive("pullBytes", pullBytes);
  for (const name of ["boxes", "applications", "recordings"] as const) {
    if (options[name] !== undefined) checkTexts(name, options[name], '["one"]');
  }
  checkCallable(options);
  return new NatsFeed(options);
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
  /**
   * Since when the stream can't be read, by the server's clock; `undefined` while it can, and before
   * it began.
   */
  #downMs: number | undefined;
  #wasConnected = false;
  /** What was told of the present outage, which begins when a connection that was there breaks. */
  #told: LogLevel | undefined;
  #now: Clock["now"] = SYSTEM_CLOCK.now;
  #running: Promise<void> | undefined;

  constructor(options: FromNatsOptions) {
    this.name = parseNatsAddress(options.url).name;
    this.#subjects = filterSubjects(options);
    this.#options = options;
    this.#log = options.log ?? silentLog;
    const { note, skip } = options;
    const isSame = note?.subjects === undefined || `${note.subjects}` === `${this.#subjects}`;
    this.#created = note?.created;
    const early: NatsNote = note ?? { seq: 0, seen: [], beyond: [] };
    this.#early = skip === undefined ? early : { ...early, beyond: [...skip] };
    if (isSame) return;
    // Other subjects were asked for before, and what those left out may stand anywhere in the
    // stream: it is read from its beginning, and what came already is known by its numbers.
    this.#early = { ...this.#early, seq: 0 };
  }

  get clients(): readonly { readonly stats: ClientStats }[] {
    return this.#intake?.clients ?? [];
  }

  get boxes(): readonly FleetBox[] {
    return this.#intake?.fleet.boxes ?? [];
  }

  get stats(): FromNatsStats {
    const { name } = this;
    const connected = this.#running !== undefined && this.#downMs === undefined;
    const outageSec = Math.max(0, this.#now() - (this.#downMs ?? Infinity)) / 1000;
    const none = { position: this.#early.seq, pending: 0, lagSec: 0, ageSec: 0 };
    const counts = { messages: 0, repeated: 0, refused: 0, underWay: 0 };
    const fleet = { boxes: 0, live: 0, recordings: 0 };
    return {
      ...{
        name,
        connected,
        wasConnected: this.#wasConnected,
        outageSec,
        ...none,
        ...counts,
        ...fleet,
        ...this.#intake?.stats,
      },
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
    this.#now = host.context.options.now;
    this.#downMs = this.#now();
    this.#running = this.#run(host, this.#intake);
  }

  received(batch: readonly SmartMessage[]): void {
    this.#intake?.received(batch);
  }

  note(): NatsNote {
    const created = this.#created;
    const note = this.#intake?.note() ?? this.#early;
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
        const { nats, created, after, pullBytes } = await this.#connect(intake);
        this.#nats = nats;
        retryMs = RETRY_MS;
        const reader = new StreamReader({
          ...{ nats, subjects: this.#subjects, created, after, pullBytes, log: this.#log },
          onReading: (isReading) => this.#reads(isReading),
          clock: { ...SYSTEM_CLOCK, now, delay: (ms) => this.#wait(ms, delay) },
        });
        for await (const message of reader.read(signal)) await intake.take(message);
      } catch (error) {
        if (signal.aborted) break;
        this.#tellFailed(`now, and tries again in ${retryMs / 1000} s`, error);
        await this.#wait(retryMs, delay);
        retryMs = Math.min(2 * retryMs, MAX_RETRY_MS);
      } finally {
        this.#downMs ??= this.#now();
        await this.#nats?.connection.close();
      }
    }
  }

  #reads(isReading: boolean): void {
    if (isReading && this.#told !== undefined) {
      const seconds = Math.round((this.#now() - (this.#downMs ?? this.#now())) / 100) / 10;
      this.#log.write("info", `Reads from ${this.name} again, after ${seconds} s`, {
        ...{ nats: this.name, seconds, kind: "nats reachable" },
      });
      this.#told = undefined;
    }
    this.#downMs = isReading ? undefined : this.#downMs ?? this.#now();
    this.#wasConnected ||= isReading;
  }

  /**
   * Tells why a connection that was lost is not there again: once it has been away for longer than another
   * server of the cluster needs to take over, and once more if somebody has to change something.
   */
  #tellLost(error: unknown): void {
    if (this.#now() - (this.#downMs ?? this.#now()) < TAKEOVER_MS) return;
    const level = refusalOf(error) === undefined ? "warn" : "error";
    if (this.#told === level || this.#told === "error") return;
    this.#told = level;
    this.#tellFailed("until it is there again", error);
  }

  #tellFailed(when: string, error: unknown): void {
    const refusal = refusalOf(error);
    const text = `Reads nothing from ${this.name} ${when}: ${refusal ?? reason(error)}`;
    const level = refusal === undefined ? "warn" : "error";
    this.#log.write(level, text, { nats: this.name, kind: "nats unreachable" });
  }

  async #connect(intake: NatsIntake) {
    const { replicas = 1, pullBytes = PULL_BYTES, own } = this.#options;
    intake.own = typeof own === "function" ? await own() : own;
    const onLink = (isThere: boolean) => {
      if (!isThere) this.#downMs ??= this.#now();
    };
    const nats = await connectNats({
      ...this.#options,
      clientName: "rerelay --from",
      onLink,
      onFailure: (error) => this.#tellLost(error),
    });
    try {
      const stream = await ensureStream(nats.manager, { replicas, log: this.#log });
      intake.skewMs = this.#tellSkew(stream.ts);
      const { last_seq: last } = stream.state;
      let after = intake.lastSeq;
      const isAnother = this.#created !== undefined && this.#created !== stream.created;
      this.#created = stream.created;
      if (after > 0 && (isAnother || after > last)) {
        const text = `The stream ${STREAM} of ${this.name} was made anew: it ends with message ` +
          `${last}, and ${after} were read of the one before. It is read from its beginning`;
        this.#log.write("warn", text, { nats: this.name, kind: "stream made anew" });
        after = 0;
        intake.beginsAnew();
      }
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
   * By how many milliseconds the clock of NATS is behind ours; 0 if that is too little to matter.
   * Says so in the log if not.
   */
  #tellSkew(ts: string | undefined): number {
    const skewMs = SYSTEM_CLOCK.date() - Date.parse(ts ?? "");
    if (!(Math.abs(skewMs) > MAX_SKEW_MS)) return 0;
    const text = `The clock of ${this.name} is ${Math.abs(skewMs / 1000).toFixed(1)} s ` +
      `${skewMs > 0 ? "behind" : "before"} this one's: delays are told by its clock`;
    this.#log.write("warn", text, { nats: this.name, kind: "clock skew" });
    return skewMs;
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
