/**
 * Takes the messages of the stream: finds out whose each is and whether it came before, and puts it
 * into the channel.
 *
 * @module
 */
import type { Log } from "../base/log.ts";
import { PacketDecoder } from "../encoding/rrd/packet_decoder.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import { storeOf } from "../encoding/store_of.ts";
import { NatsBoxSource, type SmartMessage } from "../flow/channel/smart_message.ts";
import { type BatchHeaders, readHeaders } from "../nats/headers.ts";
import type { StreamMessage } from "../nats/stream_reader.ts";
import { subjectNames } from "../nats/subjects.ts";
import { MESSAGE_OVERHEAD_BYTES } from "../flow/channel/pinned_bytes.ts";
import { BoxClient } from "./box_client.ts";
import type { FeedHost } from "./feed.ts";
import { NatsCovered } from "./nats_covered.ts";
import { NatsFleet } from "./nats_fleet.ts";
import { NatsKept } from "./nats_kept.ts";
import type { NatsIntakeStats } from "./nats_intake_stats.ts";
import type { NatsNote } from "./nats_note.ts";
import { NatsParts, type ReadAgain } from "./nats_parts.ts";
import { NatsProgress, type UnderWay } from "./nats_progress.ts";
import { NatsSeen } from "./nats_seen.ts";
import { plural } from "../base/plural.ts";

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
  readonly #parts: NatsParts;
  readonly #kept: NatsKept;
  readonly #covered: NatsCovered;
  readonly #progress: NatsProgress;
  /** The boxes and their recordings, for the fleet view. */
  readonly fleet: NatsFleet;
  /** The time at NATS, in milliseconds since the Unix epoch, and that of the monotonic clock then. */
  atNats = { date: 0, now: 0 };
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
    this.#kept = new NatsKept(skip);
    this.#lastSeq = note.seq;
    this.#covered = new NatsCovered(note.covered);
    this.#seen = new NatsSeen(note.seen);
    this.#received = new NatsSeen(note.seen);
    const { options: limits, onUnfinished } = host.context;
    // So many are in the channel at most, and as many in the batch that the receiver has.
    const most = 2 * (limits.channelLimitBytes / MESSAGE_OVERHEAD_BYTES) + SPARE_MESSAGES;
    this.#progress = new NatsProgress(note.seq, {
      maxMessages: most,
      onForsaken: () => {
        const text =
          "Nobody has told for too many messages what was received (feed.received), so how " +
          `far NATS was read stays at message ${this.#progress.position}, also if it is told later: a ` +
          "start that goes on from there receives the rest again";
        log.write("warn", text, { kind: "nats position" });
      },
      onPassed: (last) => this.#received.note(...last),
      onTooMany: () => this.#parts.giveUpOldest(),
    });
    this.fleet = new NatsFleet(limits.now);
    this.#decoder = new PacketDecoder(limits);
    const { maxMessageBytes, maxUnfinishedBytes } = limits;
    this.#parts = new NatsParts(
      { maxMessageBytes, maxUnfinishedBytes: maxUnfinishedBytes / 2 },
      this.#progress,
      onUnfinished,
      (...what) => this.#tellLeftOut(...what),
    );
  }

  /** Number of the last message of the stream that came. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Number of the last message that came while other subjects were asked for. */
  get coveredSeq(): number {
    return this.#covered.lastSeq;
  }

  /** The boxes, each a client of the server. */
  get clients(): readonly BoxClient[] {
    return Array.from(this.#boxes.values(), ({ client }) => client);
  }

  get stats(): NatsIntakeStats {
    const { boxes, live, recordings, lagSec: ageSec } = this.fleet.summary;
    const { pending = 0, storedMs = 0 } = this.#last ?? {};
    return {
      position: this.#progress.position,
      pending,
      lagSec: pending === 0 ? 0 : this.#ageMs(storedMs) / 1000,
      ...{ boxes, live, recordings, ageSec },
      messages: this.#messages,
      repeated: this.#repeated,
      refused: this.#refused,
      underWay: this.#progress.length,
    };
  }

  /** How far all was received; `seen` has only what came since the last such call, if that is wanted. */
  note(hasChangesAlone = false): NatsNote {
    const { position, beyond } = this.#progress;
    // What an earlier run kept and that has not come again yet must stay in the note, or it would
    // be kept twice.
    this.#kept.addTo(beyond);
    const seen = hasChangesAlone ? this.#received.changes() : this.#received.toJSON();
    return { seq: position, seen, beyond: [...beyond], covered: this.#covered.toJSON() };
  }

  /**
   * Takes note of the first message that the stream has still. Where those behind the position were removed,
   * nobody knows how many of them an earlier run had kept, and keeping some twice is better than leaving out
   * others.
   */
  begins(firstSeq: number): void {
    const after = Math.max(this.#lastSeq, this.#covered.lastSeq);
    if (this.#kept.isEmpty || firstSeq <= after + 1) return;
    this.#kept.clear();
    const text =
      `The stream begins with message ${firstSeq}, and was read up to ${after}: what came ` +
      "just before this start may be kept twice";
    this.#log.write("warn", text, { kind: "nats position" });
  }

  /** Says that the stream was made anew, and is read from its beginning. */
  beginsAnew(): void {
    this.#lastSeq = 0;
    // What an earlier run had kept was of the stream before; keeping something twice is better than
    // leaving it out.
    this.#kept.clear();
    this.#covered.clear();
    this.#parts.clear();
    this.#progress.restart();
  }

  /**
   * Takes a message of the stream; resolves when the next one may come.
   *
   * @param message of the stream
   * @param readAgain reads what came before and was not held
   * @throws what `readAgain` throws; the message then has to come again
   */
  async take(message: StreamMessage, readAgain: ReadAgain): Promise<void> {
    const before = this.#lastSeq;
    this.#lastSeq = message.seq;
    this.#last = message;
    const { subject, seq, data, storedMs, pending } = message;
    this.fleet.behindMs = pending === 0 ? 0 : this.#ageMs(storedMs);
    this.#parts.look(storedMs);
    const names = subjectNames(subject);
    const headers = readHeaders((name) => message.header(name));
    if (names === undefined || headers === undefined) {
      return this.#refuse(message, "it is none that a box has sent");
    }
    if (headers.box === this.own) return this.#leaveOut(message);
    if (this.#covered.has(seq, subject)) {
      if (headers.part === undefined || headers.part.index === 0) {
        this.#repeated += headers.numbers.length;
      }
      return this.#progress.drop(this.#progress.came(seq));
    }
    const box = this.#box(names.box);
    const { part } = headers;
    if (part === undefined) {
      return await this.#take(box, message, headers, data, this.#progress.came(seq));
    }
    const taken = await this.#parts.take(message, { ...headers, part }, readAgain)
      .catch((error) => {
        this.#lastSeq = before;
        throw error;
      });
    if (taken.is === "refused") return this.#refuse(message, taken.why);
    if (taken.is === "whole") {
      await this.#take(box, message, headers, taken.payload, taken.entry);
    }
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
    this.#parts.close();
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
    const { known } = this.#host.context.options;
    const fresh: LogMsg[] = [];
    const wanted: LogMsg[] = [];
    for (const [i, msg] of items.entries()) {
      if (numbers[i]! <= last) continue;
      // Asked first, and of all: what an earlier run kept may have been sent on by now, and a count that
      // such a message leaves as it is would leave out a later one.
      const isKept = this.#kept.take(msg);
      // What this program has sent came here before, and would go round without end.
      if (!isKept && known.isSent(msg)) continue;
      fresh.push(msg);
      if (!isKept) wanted.push(msg);
    }
    this.#repeated += items.length - wanted.length;
    this.#messages += wanted.length;
    this.#seen.note(key, file, numbers.at(-1)!);
    entry.kept = fresh.length - wanted.length;
    const store = fresh[0] && storeOf(fresh[0]);
    if (store?.kind === "Recording") entry.recording = store.id;
    entry.last = [key, file, numbers.at(-1)!];
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
    const ageMs = this.#ageMs(storedMs);
    const { application: applicationId = "" } = subjectNames(subject) ?? {};
    const counts = { messages: msgs.length, bytes, lagSec: (waitedMs + ageMs) / 1000, ageMs };
    this.fleet.came({ box, recording: store.id, applicationId, ...counts });
  }

  /** How long a message has been in the stream, in milliseconds. */
  #ageMs(storedMs: number): number {
    const { date, now } = this.atNats;
    return Math.max(0, date + this.#host.context.options.now() - now - storedMs);
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
    this.#tellLeftOut(subject, seq, why);
  }

  #tellLeftOut(subject: string, seq: number, why: string): void {
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
}
