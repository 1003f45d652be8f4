/**
 * Sends recordings to NATS JetStream.
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
import { checkCount, checkPositive, checkText } from "../base/check_options.ts";
import { parseNatsAddress } from "../nats/address.ts";
import { SendWindow } from "../nats/send_window.ts";
import { SYSTEM_CLOCK } from "../base/clock.ts";
import {
  checkAccess,
  connectNats,
  CREDENTIAL_NAMES,
  type Nats,
  type NatsCredentials,
} from "../nats/connection.ts";
import { codeOf, ensureStream, saysStreamGone, STREAM } from "../nats/stream.ts";
import { refusalOf } from "../nats/refusal.ts";
import { recordingSubject, SUBJECT_PREFIX } from "../nats/subjects.ts";
import { HEADER_ROOM_BYTES, isId } from "../nats/headers.ts";
import { SubjectConflict, SubjectWriter, type WriterContext } from "../nats/subject_writer.ts";
import { UntilAborted, untilAborted } from "../base/until_aborted.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import { type Log, silentLog } from "../base/log.ts";
import { reason } from "../base/errors.ts";
import { sentMessage } from "./_sent_message.ts";
import {
  type BatchLimits,
  type ForwardBatch,
  type ForwardedMessage,
  type MessageTarget,
  TargetRefused,
  TargetUnfit,
} from "./target.ts";

/** Options of {@linkcode natsTarget}: the server, credentials, and the box. */
export interface NatsTargetOptions extends NatsCredentials {
  /** Such as `nats://host:4222`, several servers of one cluster with commas. */
  readonly url: string;
  /** The name of this box, which stands in subjects and which viewers show. */
  readonly box: string;
  /**
   * The random id beside its recordings: two boxes of one name are told apart by it. A function is asked
   * for it before the first message is sent.
   */
  readonly instance: string | (() => Promise<string>);
  /** How many servers hold a copy of each message, if the stream has to be made; default 1. */
  readonly replicas?: number;
  /**
   * Bytes of messages that wait for their acknowledgement at most, over all recordings; default 32 MiB. It is
   * less while acknowledgements take long, as on a thin link.
   */
  readonly maxInFlightBytes?: number;
  /** After so many milliseconds without an acknowledgement a publish counts as failed; default 10,000. */
  readonly ackTimeoutMs?: number;
  /** Gets lines about what was made and what failed; default none. */
  readonly log?: Log;
  /**
   * Told of what is sent: that of `serve`, where it may come back by other servers, so that it is left
   * out; default nobody.
   */
  readonly known?: { sent(msg: LogMsg): void };
  /** Makes an id for this start of the program that no other has; default `crypto.randomUUID`. */
  readonly newId?: () => string;
}

const NAMES: OptionNames<NatsTargetOptions> = {
  ...{ url: true, box: true, instance: true, replicas: true, maxInFlightBytes: true },
  ...{ ackTimeoutMs: true, log: true, known: true, newId: true, ...CREDENTIAL_NAMES },
};

const MIB = 1024 * 1024;

/** Up to how many bytes of a recording go into one message of the stream. */
const MAX_PUBLISH_BYTES = 512 * 1024;

/** How long, and up to how many bytes, the messages of a file are gathered. */
const LIMITS: BatchLimits = {
  maxBytes: 8 * MAX_PUBLISH_BYTES,
  maxRecordingBytes: MAX_PUBLISH_BYTES,
  maxWaitMs: 200,
  maxUnderWay: 1024,
};

/**
 * How many recordings have their place in the stream remembered; the server is asked for that of
 * others.
 */
const MAX_WRITERS = 4096;

/**
 * How many recordings of a batch are written at a time: ten thousand, each with one small message, would
 * keep the whole program busy for more than a second.
 */
const MAX_AT_ONCE = 512;

/** JetStream's error codes for a stream that is full, by messages, bytes or lack of disk space. */
const FULL = [10047, 10077, 10023, 10028];

/** An open connection, and its limits. */
interface Opened {
  readonly nats: Nats;
  /** The id of this box. */
  readonly instance: string;
  /** Most bytes of a message in the stream. */
  readonly maxMessageBytes: number;
}

/**
 * Makes a target that sends to NATS; it connects when it is checked, or with the first batch.
 *
 * @param options the server, credentials and the box
 * @throws {RangeError} if the address or the id of the box is invalid, or an option is out of
 * its range
 * @throws {TypeError} if there is no such option
 *
 * @example
 * ```ts
 * import { natsTarget } from "@rerelay/server/nats";
 * import { assertEquals } from "@std/assert";
 *
 * const target = natsTarget({ url: "nats://me:secret@host", box: "box-7", instance: "4f1c" });
 * assertEquals(target.name, "nats://host:4222");
 * await target.close();
 * ```
 */
export function natsTarget(options: NatsTargetOptions): MessageTarget {
  checkOptions("natsTarget", options, NAMES);
  checkAccess(options);
  checkText("box", options.box);
  const { instance, replicas, maxInFlightBytes, ackTimeoutMs, known } = options;
  if (typeof instance !== "function") checkText("instance", instance);
  if (replicas !== undefined) checkCount("replicas", replicas);
  if (maxInFlightBytes !== undefined) checkPositive("maxInFlightBytes", maxInFlightBytes);
  if (ackTimeoutMs !== undefined) checkPositive("ackTimeoutMs", ackTimeoutMs);
  checkCallable(options, ["newId"]);
  const isKnown = known === undefined || hasMethods(known, "sent");
  checkGiven("natsTarget", "known, the KnownMessages of serve", isKnown, known);
  return new NatsTarget(options);
}

class NatsTarget implements MessageTarget {
  readonly kind = "messages";
  readonly name: string;
  readonly limits = LIMITS;
  readonly #options: NatsTargetOptions;
  readonly #log: Log;
  readonly #run: string;
  readonly #window: SendWindow;
  readonly #writers = new Map<string, SubjectWriter>();
  #there: Opened | undefined;
  /** While a connection is made. */
  #opening: Promise<Opened> | undefined;
  /** The signal of the last batch: that of the next one nearly always, and dear to make. */
  #last:
    | { readonly signal: AbortSignal; readonly link: AbortSignal; readonly both: UntilAborted }
    | undefined;
  #isClosed = false;

  constructor(options: NatsTargetOptions) {
    this.#options = options;
    if (typeof options.instance === "string") checkInstance(options.instance);
    this.name = parseNatsAddress(options.url).name;
    this.#log = options.log ?? silentLog;
    this.#run = (options.newId ?? (() => crypto.randomUUID()))();
    this.#window = new SendWindow(options.maxInFlightBytes ?? 32 * MIB, SYSTEM_CLOCK.now);
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.#opened(signal);
  }

  async send(batch: ForwardBatch, signal: AbortSignal): Promise<void> {
    const { nats, instance, maxMessageBytes } = await this.#opened(signal);
    // The client would keep these messages in memory until it is connected; but they are on the
    // disk already.
    if (nats.link.aborted) {
      throw this.#told(nats.failure ?? new Error(`${this.name} is not connected now`));
    }
    const maxPayloadBytes = this.#maxPayload(nats, maxMessageBytes);
    const untilBroken = this.#untilBroken(signal, nats.link);
    const { box, ackTimeoutMs = 10_000 } = this.#options;
    const context: WriterContext = {
      nats,
      box: instance,
      run: this.#run,
      limits: { maxBatchBytes: MAX_PUBLISH_BYTES, maxPayloadBytes },
      window: this.#window,
      ackTimeoutMs,
      clock: SYSTEM_CLOCK,
      onPiece: batch.onPiece,
    };
    const bySubject = new Map<string, ForwardedMessage[]>();
    // Hundreds of recordings may alternate, and to make a subject takes time.
    const byNames = new Map<string, ForwardedMessage[]>();
    for (const given of batch.messages) {
      const msg = sentMessage(batch.file, given);
      const message = msg === given.msg ? given : { ...given, msg };
      // Before it is sent, since it may come back before it is acknowledged.
      this.#options.known?.sent(msg);
      const { application, recording } = message;
      const names = `${application.length} ${application}${recording}`;
      let messages = byNames.get(names);
      if (messages === undefined) {
        // Names that are cut, or no whole text, may share a subject with others.
        const subject = recordingSubject({ box, application, recording });
        messages = bySubject.get(subject) ?? [];
        bySubject.set(subject, messages);
        byNames.set(names, messages);
      }
      messages.push(message);
    }
    const errors: unknown[] = [];
    const left = bySubject.entries();
    const write = async () => {
      for (const [subject, messages] of left) {
        await this.#writer(subject).write(context, { ...batch, messages }, untilBroken)
          .catch((error) => errors.push(error));
      }
    };
    await Promise.all(Array.from({ length: Math.min(bySubject.size, MAX_AT_ONCE) }, write));
    if (errors.some((error) => saysStreamGone(error) || saysTooLarge(error))) {
      await this.#leave(nats);
    }
    if (errors.length > 0) throw this.#told(errors[0]);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    // One that is being made is closed when it is there: that may take as long as a server is silent.
    await this.#there?.nats.connection.close();
  }

  /**
   * Leaves a connection: the next one makes the stream again, which is not there any more, or asks for its
   * limits, which have changed.
   */
  async #leave(nats: Nats): Promise<void> {
    if (this.#there?.nats === nats) this.#there = undefined;
    await nats.connection.close();
  }

  #untilBroken(signal: AbortSignal, link: AbortSignal): UntilAborted {
    if (this.#last?.signal !== signal || this.#last.link !== link) {
      this.#last = { signal, link, both: new UntilAborted(AbortSignal.any([signal, link])) };
    }
    return this.#last.both;
  }

  #writer(subject: string): SubjectWriter {
    const writer = this.#writers.get(subject) ?? new SubjectWriter(subject);
    // Moves the writer to the end, since the one used longest ago is dropped first.
    this.#writers.delete(subject);
    this.#writers.set(subject, writer);
    for (const [subject, { users }] of this.#writers) {
      if (this.#writers.size <= MAX_WRITERS) break;
      if (users === 0) this.#writers.delete(subject);
    }
    return writer;
  }

  /** Connects once for all batches that wait: where that fails, it fails for each of them. */
  async #opened(signal: AbortSignal): Promise<Opened> {
    signal.throwIfAborted();
    if (this.#there?.nats.connection.isClosed() === false) return this.#there;
    if (this.#isClosed) throw new Error(`${this.name} is closed`);
    this.#there = undefined;
    this.#opening ??= this.#open().then(async (opened) => {
      if (this.#isClosed) await opened.nats.connection.close();
      return this.#there = opened;
    }).finally(() => this.#opening = undefined);
    return await untilAborted(signal, this.#opening);
  }

  async #open(): Promise<Opened> {
    const { box, instance: given, replicas = 1 } = this.#options;
    const instance = typeof given === "string" ? given : await given();
    checkInstance(instance);
    const nats = await connectNats({ ...this.#options, clientName: `rerelay ${box}` })
      .catch((error) => {
        throw this.#told(error);
      });
    try {
      const { config } = await ensureStream(nats.manager, { replicas, log: this.#log });
      const maxMessageBytes = config.max_msg_size > 0 ? config.max_msg_size : Infinity;
      this.#maxPayload(nats, maxMessageBytes);
      return { nats, instance, maxMessageBytes };
    } catch (error) {
      await nats.connection.close();
      throw this.#told(error);
    }
  }

  /** Most bytes of a message without its header; a server may have another limit when it is back. */
  #maxPayload({ connection }: Nats, stream: number): number {
    const most = Math.min(connection.info?.max_payload ?? MIB, stream);
    if (most >= 2 * HEADER_ROOM_BYTES) return most - HEADER_ROOM_BYTES;
    throw new TargetUnfit(
      `${this.name} takes messages of ${most} bytes: set max_payload in the server's ` +
        `configuration and max_msg_size of the stream ${STREAM} to 1 MiB or more`,
    );
  }

  /** Turns an error into one that says what can be done about it. */
  #told(error: unknown): unknown {
    if (error instanceof SubjectConflict) return new TargetRefused(error.message, "target");
    const code = codeOf(error);
    if (code !== undefined && FULL.includes(code)) {
      return new Error(
        `The stream ${STREAM} of ${this.name} is full, so that it takes nothing now: let its ` +
          `readers remove more, or give it more room (${reason(error)})`,
      );
    }
    const refusal = refusalOf(error);
    if (refusal !== undefined) return new TargetUnfit(refusal);
    if (error instanceof Error && error.name === "JetStreamNotEnabled") {
      return new Error(
        `Nobody takes messages at ${this.name} now: JetStream is off, its servers choose a leader, ` +
          `or the stream ${STREAM} has other subjects than ${SUBJECT_PREFIX}.*.*.*`,
      );
    }
    return error;
  }
}

/** JetStream's code of a message that is larger than the stream takes. */
const TOO_LARGE = 10054;

/** Whether an error says that a limit of the server or the stream is lower than it was. */
function saysTooLarge(error: unknown): boolean {
  return codeOf(error) === TOO_LARGE || /max_payload size exceeded/.test(reason(error));
}

function checkInstance(instance: string): void {
  if (isId(instance)) return;
  throw new RangeError("instance must be 1 to 128 letters, digits, dots, colons, - and _");
}
