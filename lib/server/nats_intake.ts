/**
 * Takes the messages of the stream: finds out whose each is and whether it came before, and puts it
 * into the channel.
 *
 * @module
 */
import { SYSTEM_CLOCK } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { PacketDecoder } from "../encoding/rrd/packet_decoder.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import { storeOf } from "../encoding/store_of.ts";
import { NatsBoxSource, type SmartMessage } from "../flow/channel/smart_message.ts";
import { type BatchHeaders, readHeaders } from "../nats/headers.ts";
import { PartJoiner } from "../nats/part_joiner.ts";
import type { StreamMessage } from "../nats/stream_reader.ts";
import { subjectNames } from "../nats/subjects.ts";
import { MESSAGE_OVERHEAD_BYTES } from "../flow/channel/pinned_bytes.ts";
import { BoxClient } from "./box_client.ts";
import type { FeedHost } from "./feed.ts";
import { NatsFleet } from "./nats_fleet.ts";
import type { NatsNote } from "./nats_note.ts";
import { NatsProgress, type UnderWay } from "./nats_progress.ts";
import { NatsSeen } from "./nats_seen.ts";
import { plural } from "../base/plural.ts";

/** Counts of a stream. */
export interface NatsIntakeStats {
  /** Number of the message of the stream up to which all was received. */
  readonly position: number;
  /** Messages of the stream that wait behind the one that was read last. */
  readonly pending: number;
  /** How old the message is that was read last, in seconds, while others wait behind it; else 0. */
  readonly lagSec: number;
  /** Boxes that were heard of. */
  readonly boxes: number;
  /** How many boxes sent something in the last 60 s. */
  readonly live: number;
  /** Recordings of boxes that something came of in the last 60 s. */
  readonly recordings: number;
  /**
   * How old the last messages of these recordings were when they came, since they were written on
   * the box: the largest, in seconds.
   */
  readonly ageSec: number;
  /** Log messages that came for the first time. */
  readonly messages: number;
  /** Log messages that had come before, and were left out. */
  readonly repeated: number;
  /** Messages of the stream that no box sent, that can't be read, or that this program sent. */
  readonly refused: number;
  /** Messages of the stream whose log messages wait to be received. */
  readonly underWay: number;
}

/** How many boxes are remembered as clients; the one silent for longest leaves first. */
const MAX_BOXES = 100_000;

/** Messages of which the channel may take one more than fits into it, a batch of each of some boxes. */
const SPARE_MESSAGES = 100_000;

interface Box {
  readonly name: string;
  readonly id: number;
  readonly client: BoxClient;
}

/** Takes the messages of the stream, one after the other. */
export class NatsIntake {
  readonly #host: FeedHost;
  readonly #log: Log;
  readonly #boxes = new Map<string, Box>();
  readonly #decoder: PacketDecoder;
  readonly #joiner: PartJoiner;
  /** Entries of large messages that are not whole, by subject. */
  readonly #held = new Map<string, UnderWay>();
  readonly #skip: Map<string, number>;
  readonly #progress: NatsProgress;
  /** The boxes and their recordings, for the fleet view. */
  readonly fleet: NatsFleet;
  /** By how much the clock of NATS is behind ours, in milliseconds. */
  skewMs = 0;
  /** The id under which this program itself sends to the stream, if it does. */
  own: string | undefined;
  #isOwnTold = false;
  /** The last numbers that came, and the last that were received. */
  readonly #seen: NatsSeen;
  readonly #received: NatsSeen;
  #lastSeq: number;
  #last: StreamMessage | undefined;
  #messages = 0;
  #repeated = 0;
  #refused = 0;

  /**
   * @param host the server
   * @param options where an earlier run stopped, and what it had kept beyond that
   */
  constructor(
    host: FeedHost,
    options: {
      readonly note: NatsNote;
      readonly skip: ReadonlyMap<string, number>;
      readonly log: Log;
    },
  ) {
    this.#host = host;
    const { note, skip, log } = options;
    this.#log = log;
    this.#skip = new Map(skip);
    this.#lastSeq = note.seq;
    this.#seen = new NatsSeen(note.seen);
    this.#received = new NatsSeen(note.seen);
    const { options: limits, onUnfinished } = host.context;
    // So many are in the channel at most, and as many in the batch that the receiver has.
    const most = 2 * (limits.channelLimitBytes / MESSAGE_OVERHEAD_BYTES) + SPARE_MESSAGES;
    this.#progress = new NatsProgress(note.seq, most, () => {
      const text =
        `Of ${plural(Math.floor(most), "message")} nobody has told that they were received ` +
        `(feed.received), so how far NATS was read stays at message ${this.#progress.position}, also ` +
        "if it is told later: a start that goes on from there receives the rest again";
      log.write("warn", text, { kind: "nats position" });
    });
    this.fleet = new NatsFleet(limits.now);
    this.#decoder = new PacketDecoder(limits);
    const { maxMessageBytes, maxUnfinishedBytes } = limits;
    this.#joiner = new PartJoiner(
      { maxMessageBytes, maxUnfinishedBytes: maxUnfinishedBytes / 2 },
      onUnfinished,
      (subject) => this.#giveUp(subject),
    );
  }

  /** Number of the last message of the stream that came. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** The boxes, each a client of the server. */
  get clients(): readonly BoxClient[] {
    return Array.from(this.#boxes.values(), ({ client }) => client);
  }

  get stats(): NatsIntakeStats {
    const { live, recordings, lagSec: ageSec } = this.fleet.summary;
    const { pending = 0, storedMs = 0 } = this.#last ?? {};
    return {
      position: this.#progress.position,
      pending,
      lagSec: pending === 0 ? 0 : this.#ageMs(storedMs) / 1000,
      boxes: this.#boxes.size,
      ...{ live, recordings, ageSec },
      messages: this.#messages,
      repeated: this.#repeated,
      refused: this.#refused,
      underWay: this.#progress.length,
    };
  }

  /** How far all was received. */
  note(): NatsNote {
    const { position, beyond } = this.#progress;
    // What an earlier run kept and that has not come again yet must stay in the note, or it would
    // be kept twice.
    for (const [recording, count] of this.#skip) {
      beyond.set(recording, (beyond.get(recording) ?? 0) + count);
    }
    return { seq: position, seen: this.#received.toJSON(), beyond: [...beyond] };
  }

  /** Says that the stream was made anew, and is read from its beginning. */
  beginsAnew(): void {
    this.#lastSeq = 0;
    // What an earlier run had kept was of the stream before; keeping something twice is better than
    // leaving it out.
    this.#skip.clear();
    this.#progress.restart();
  }

  /** Takes a message of the stream; resolves when the next one may come. */
  async take(message: StreamMessage): Promise<void> {
    this.#lastSeq = message.seq;
    this.#last = message;
    const { subject, seq, data } = message;
    const names = subjectNames(subject);
    const headers = readHeaders((name) => message.header(name));
    if (names === undefined || headers === undefined) {
      return this.#refuse(message, "it is none that a box has sent");
    }
    if (headers.box === this.own) return this.#leaveOut(message);
    const box = this.#box(names.box);
    const { part } = headers;
    if (part === undefined) {
      return await this.#take(box, message, headers, data, this.#progress.came(seq));
    }
    const joined = this.#joiner.push(subject, { ...headers, part }, data);
    if (joined.is === "refused") return this.#refuse(message, joined.why);
    // The position stays before the first part until all parts are here.
    const first = part.index > 0 ? this.#held.get(subject)! : this.#progress.came(seq);
    if (part.index > 0) this.#progress.drop(this.#progress.came(seq));
    if (joined.is === "unfinished") return void this.#held.set(subject, first);
    this.#held.delete(subject);
    await this.#take(box, message, headers, joined.payload, first);
  }

  /** Told of all that was received. */
  received(batch: readonly SmartMessage[]): void {
    for (let at = 0; at < batch.length;) {
      const { source } = batch[at]!;
      let count = 0;
      for (; batch[at]?.source === source; at++) if (batch[at]!.payload.type === "msg") count++;
      if (source.kind === "nats-box" && count > 0) this.#progress.received(source.id, count);
    }
  }

  /** Lets all boxes leave. */
  quit(): void {
    for (const { client } of this.#boxes.values()) client.quit();
    this.#boxes.clear();
    for (const subject of [...this.#held.keys()]) this.#joiner.drop(subject);
  }

  async #take(
    box: Box,
    message: StreamMessage,
    headers: BatchHeaders,
    payload: Uint8Array,
    entry: UnderWay,
  ): Promise<void> {
    const { items, error } = this.#decoder.push([payload]);
    const { file, numbers } = headers;
    if (error !== undefined || items.length !== numbers.length) {
      this.#progress.drop(entry);
      const count = `it has ${plural(items.length, "message")} and not ${numbers.length}`;
      return this.#refuse(message, error?.message ?? count, true);
    }
    const key = `${headers.box} ${message.subject}`;
    const last = this.#seen.last(key, file);
    // What this program has sent came here before, and would go round without end.
    const { known } = this.#host.context.options;
    const fresh = items.filter((msg, i) => numbers[i]! > last && !known.isSent(msg));
    this.#repeated += items.length - fresh.length;
    const wanted = fresh.filter((msg) => !this.#isKept(msg));
    this.#messages += wanted.length;
    this.#seen.note(key, file, numbers.at(-1)!);
    entry.kept = fresh.length - wanted.length;
    const store = fresh[0] && storeOf(fresh[0]);
    if (store?.kind === "Recording") entry.recording = store.id;
    entry.done = () => this.#received.note(key, file, numbers.at(-1)!);
    this.#tellFleet(box, message, headers, fresh);
    await box.client.take(wanted, (count) => this.#progress.sent(entry, box.id, count));
  }

  #tellFleet(
    { name: box }: Box,
    { subject, storedMs }: StreamMessage,
    { waitedMs = 0 }: BatchHeaders,
    msgs: readonly LogMsg[],
  ): void {
    const store = msgs[0] && storeOf(msgs[0]);
    if (store?.kind !== "Recording") return;
    let bytes = 0;
    for (const { encoded } of msgs) bytes += encoded.bytes.length;
    const lagSec = (waitedMs + this.#ageMs(storedMs)) / 1000;
    const { application: applicationId = "" } = subjectNames(subject) ?? {};
    const counts = { messages: msgs.length, bytes, lagSec };
    this.fleet.came({ box, recording: store.id, applicationId, ...counts });
  }

  /** How long a message has been in the stream, in milliseconds. */
  #ageMs(storedMs: number): number {
    return Math.max(0, SYSTEM_CLOCK.date() - this.skewMs - storedMs);
  }

  /** Whether an earlier run had kept a message without noting so. */
  #isKept(msg: LogMsg): boolean {
    if (this.#skip.size === 0) return false;
    const store = storeOf(msg);
    // Blueprints are in the files of several recordings, and keeping one twice changes nothing.
    if (store?.kind !== "Recording") return false;
    const { id: recording } = store;
    const left = this.#skip.get(recording);
    if (left === undefined) return false;
    if (left > 1) this.#skip.set(recording, left - 1);
    else this.#skip.delete(recording);
    this.#repeated++;
    return true;
  }

  #box(name: string): Box {
    let box = this.#boxes.get(name);
    if (box === undefined) {
      const id = this.#host.nextId();
      const client = new BoxClient(
        this.#host.sender(new NatsBoxSource(id, name)),
        this.#host.context,
      );
      box = { name, id, client };
      client.welcome();
    } else this.#boxes.delete(name);
    // The one heard of last at the end.
    this.#boxes.set(name, box);
    if (this.#boxes.size > MAX_BOXES) {
      const [oldest] = this.#boxes.values();
      this.#boxes.delete(oldest!.name);
      oldest!.client.quit();
    }
    return box;
  }

  #refuse({ subject, seq }: StreamMessage, why: string, isCounted = false): void {
    this.#refused++;
    if (!isCounted) this.#progress.drop(this.#progress.came(seq));
    const text = `Left out message ${seq} of the stream, of ${subject}: ${why}`;
    this.#log.write("warn", text, { seq, kind: "nats message refused" });
  }

  /** Leaves out what this program itself has sent, which would go round without end. */
  #leaveOut({ subject, seq }: StreamMessage): void {
    this.#refused++;
    this.#progress.drop(this.#progress.came(seq));
    if (this.#isOwnTold) return;
    this.#isOwnTold = true;
    const text = `What this server forwards to NATS comes back to it, by ${subject}: --from and ` +
      "--forward lead to one stream. It is left out here, but others receive it twice: leave out " +
      "one of both options";
    this.#log.write("error", text, { seq, kind: "nats own" });
  }

  #giveUp(subject: string): void {
    const entry = this.#held.get(subject);
    this.#held.delete(subject);
    if (entry !== undefined) this.#progress.drop(entry);
  }
}
