/**
 * Writes the messages of one recording into the stream, one publish after the other. Each publish
 * names the one before it, so that the server stores none twice, leaves none out, and keeps the
 * order.
 *
 * @module
 */
import { RerelayError } from "../base/errors.ts";
import { RRD_HEADER_BYTES } from "../encoding/rrd_header.ts";
import type { Clock } from "../base/clock.ts";
import type { UntilAborted } from "../base/until_aborted.ts";
import type { PubAck } from "@nats-io/jetstream";
import type { Nats } from "./connection.ts";
import { type BatchHeaders, headerFields, type PartPlace, readHeaders } from "./headers.ts";
import type { SendWindow } from "./send_window.ts";
import {
  type NumberedMessage,
  partsOf,
  type PayloadLimits,
  payloadOf,
  publishRuns,
} from "./payload.ts";
import { codeOf, STREAM } from "./stream.ts";

/** Another box, or a copy of this one, writes to the same subject. */
export class SubjectConflict extends RerelayError {
  /**
   * Makes the error.
   *
   * @param subject the subject that both write to
   * @param own this box, as `instance/run`
   * @param other the other box, as `instance/run`
   */
  constructor(readonly subject: string, readonly own: string, readonly other: string) {
    super(
      `Two boxes send as one, by ${subject} in the stream ${STREAM}: this one is ${own}, and ` +
        `${other} has written there, too. Was a disk or an SD card copied, or the folder of ` +
        "recordings removed, with its .rerelay-box.json, while a recording went on? Give this box " +
        "another name (--box)",
    );
  }
}

/** What all writers of a target share. */
export interface WriterContext {
  readonly nats: Nats;
  /** The ids of this box and of this start of the program. */
  readonly box: string;
  readonly run: string;
  readonly limits: PayloadLimits;
  readonly window: SendWindow;
  /** After so many milliseconds without an acknowledgement a publish counts as failed. */
  readonly ackTimeoutMs: number;
  readonly clock: Pick<Clock, "now" | "date">;
  /** Called after each acknowledgement. */
  readonly onPiece?: (() => void) | undefined;
}

/** Messages of one file that are to be written. */
export interface FileMessages {
  /** The id of the file. */
  readonly file: string;
  readonly messages: readonly NumberedMessage[];
  /** How long the first of them has waited, in milliseconds, if that is known. */
  readonly waitedMs?: number;
}

/** The last message under a subject. */
interface Last {
  /** Its number in the stream; 0 if the subject has no message. */
  readonly seq: number;
  readonly file?: string;
  /** The number in its file of the last message that is stored whole. */
  readonly number?: number;
  /** Of the message behind that one, the part that this program has stored last. */
  readonly begun?: PartPlace & { readonly partBytes: number };
}

/**
 * Up to so many bytes of a file's first messages are sent as if the subject had none, without asking for
 * its last message: a server that has one refuses them, and hundreds of recordings may begin at once.
 */
const MAX_UNASKED_BYTES = 32 * 1024;

/**
 * A large message goes on behind its last part for so many milliseconds since that was stored, and begins
 * anew after that: readers give up one of which they see nothing for an hour.
 */
const RESUME_MS = 10 * 60_000;

const WRONG_SEQUENCE = [10071, 10164];

/** JetStream's error code for a subject without messages. */
const NO_MESSAGE = 10037;

/** Writes the messages of one recording of this box. */
export class SubjectWriter {
  /** `undefined` when the server must be asked for it. */
  #last: Last | undefined;
  /** Whether nothing was sent, and the server not asked for anything. */
  #isNew = true;
  /** Whether the server knows ids of parts that were removed, so that it would not store them again. */
  #isIdWorn = false;
  #turn: Promise<unknown> = Promise.resolve();
  /** How often a message of another start of the program has appeared while this one wrote. */
  #strangers = 0;
  /** When the last part of a message was stored, by both clocks: one of them stands still in sleep. */
  #partStored = { now: -Infinity, date: -Infinity };
  /** How many calls of `write` are under way. */
  users = 0;

  constructor(readonly subject: string) {}

  /**
   * Stores messages of one file, but for those that are stored already.
   *
   * @throws {SubjectConflict} if another box writes to this subject
   * @throws the error of the client if that fails; the next call then asks the server what is
   * stored
   */
  write(
    context: WriterContext,
    written: FileMessages,
    until: UntilAborted,
  ): Promise<void> {
    this.users++;
    const turn = this.#turn.catch(() => {}).then(() => this.#write(context, written, until));
    this.#turn = turn;
    return turn.finally(() => this.users--);
  }

  async #write(
    context: WriterContext,
    { file, messages, waitedMs }: FileMessages,
    until: UntilAborted,
  ): Promise<void> {
    let left = messages;
    while (left.length > 0) {
      until.signal.throwIfAborted();
      const isUnasked = this.#isNew && isSmallStart(left);
      this.#isNew = false;
      this.#last ??= isUnasked ? { seq: 0 } : await this.#look(context, until);
      const { file: lastFile, number = -1 } = this.#last;
      if (lastFile === file && left[0]!.number <= number) {
        const next = left.findIndex((message) => message.number > number);
        left = next < 0 ? [] : left.slice(next);
        continue;
      }
      const first = left[0]!;
      const begun = this.#begun(context, file, first);
      const limits = { ...limitsNow(context), ...begun && { maxPayloadBytes: begun.partBytes } };
      const run = begun === undefined ? publishRuns(left, limits).next().value! : [first];
      const waited = waitedMs === undefined ? {} : { waitedMs: Math.round(waitedMs) };
      const messages = { file, messages: run, ...waited };
      await this.#publishRun({ ...context, limits }, messages, until, isUnasked, begun?.index);
    }
  }

  /** The last part that is stored of a message, if it may go on behind that: the link broke in between. */
  #begun({ clock, limits, window }: WriterContext, file: string, { number, msg }: NumberedMessage) {
    const { begun, file: lastFile, number: lastNumber } = this.#last!;
    if (begun === undefined || lastFile !== file || lastNumber !== number - 1) return undefined;
    // Parts that are much too large for the link as it is now would count as missing again.
    const mostBytes = Math.min(limits.maxPayloadBytes, 4 * window.sendBytes);
    const bytes = RRD_HEADER_BYTES + msg.encoded.bytes.length;
    const isSame = begun.bytes === bytes && Math.ceil(bytes / begun.partBytes) === begun.count;
    const { now, date } = this.#partStored;
    const isLate = Math.max(clock.now() - now, clock.date() - date) > RESUME_MS;
    return isSame && !isLate && begun.partBytes <= mostBytes ? begun : undefined;
  }

  /**
   * Publishes a whole run or throws, from the part behind `stored` on. Then `#last` is either known, or
   * unset to be asked for, as what was sent may be stored without an answer.
   */
  async #publishRun(
    context: WriterContext,
    { file, messages: run, ...waited }: FileMessages,
    until: UntilAborted,
    isUnasked: boolean,
    stored = -1,
  ): Promise<void> {
    const payload = payloadOf(run);
    const parts = partsOf(payload, context.limits.maxPayloadBytes);
    const numbers = run.map(({ number }) => number);
    const { box, run: start, clock } = context;
    let last = this.#last!;
    // What was not asked for is known only once the server has taken something behind it.
    if (isUnasked) this.#last = undefined;
    const worn = this.#isIdWorn ? `.${crypto.randomUUID()}` : "";
    this.#isIdWorn = false;
    let hasRepeated = false;
    for (const [index, part] of parts.entries()) {
      if (index <= stored) continue;
      const place = parts.length === 1
        ? {}
        : { part: { index, count: parts.length, bytes: payload.length } };
      const headers = { box, run: start, file, numbers, ...waited, ...place };
      const send = (id: string) =>
        context.window.through(part.length, until.signal, () => {
          this.#last = undefined;
          return until.wait(this.#publish(context, { id, headers, part, behind: last.seq }));
        });
      let seq: number;
      try {
        const id = messageId(headers, parts[0]!.length) + worn;
        const ack = await send(id);
        // An earlier start of the program stored it, and may have stored more: that is asked next.
        if (isUnasked && ack.duplicate) return;
        seq = ack.seq;
        hasRepeated ||= ack.duplicate;
        // A part that an earlier attempt stored counts only if it stands behind the parts before
        // it.
        if (parts.length > 1 && seq < last.seq) {
          ({ seq } = await send(`${id}.${crypto.randomUUID()}`));
        }
      } catch (error) {
        if (!WRONG_SEQUENCE.includes(codeOf(error) ?? 0)) throw error;
        // The server said that it has parts which it names no more: somebody purged the stream.
        this.#isIdWorn = hasRepeated;
        this.#last = await this.#look(context, until, !isUnasked);
        return;
      }
      // When a file is sent a second time, the server answers with the earlier place of a message
      // it has.
      last = { seq: Math.max(seq, last.seq) };
      context.onPiece?.();
      this.#partStored = { now: clock.now(), date: clock.date() };
      const begun = { index, count: parts.length, bytes: payload.length, partBytes: part.length };
      this.#last = index === parts.length - 1
        ? { ...last, file, number: numbers.at(-1)! }
        : { ...last, file, number: numbers[0]! - 1, begun };
    }
  }

  async #publish(
    { nats, ackTimeoutMs }: WriterContext,
    { id, headers, part, behind }: {
      readonly id: string;
      readonly headers: BatchHeaders;
      readonly part: Uint8Array;
      readonly behind: number;
    },
  ): Promise<PubAck> {
    const ack = await nats.client.publish(this.subject, part, {
      msgID: id,
      // The name of the stream is not expected here: a stream that mirrors this one from a leaf
      // node would refuse it.
      expect: { lastSubjectSequence: behind },
      headers: nats.headers(headerFields(headers)),
      timeout: ackTimeoutMs,
    });
    if (ack.stream === STREAM) return ack;
    throw new Error(`The stream ${ack.stream} has the subject ${this.subject}, and not ${STREAM}`);
  }

  /**
   * Asks the server for the last message. While this writer writes, that may be a publish of its
   * own whose answer was lost, or one that the box had under way when it was killed; anything else
   * comes from another box.
   *
   * The answer has all of that message: of hundreds of recordings, a thin link would carry those too late
   * if all were asked for at once.
   */
  async #look(
    { nats, box, run, window }: WriterContext,
    until: UntilAborted,
    whileWriting = false,
  ): Promise<Last> {
    const ask = async () => {
      const asked = nats.manager.streams.getMessage(STREAM, { last_by_subj: this.subject });
      // The client would wait for the answer until its time is over, though the connection is gone.
      return await until.wait(asked).catch((error: unknown) => {
        if (codeOf(error) === NO_MESSAGE) return null;
        throw error;
      });
    };
    const stored = await window.asking(until.signal, ask);
    if (stored === null) return { seq: 0 };
    const headers = readHeaders((name) => stored.header.get(name));
    const other = headers === undefined
      ? `a program that is no Rerelay (message ${stored.seq})`
      : `${headers.box}/${headers.run}`;
    if (headers?.box !== box) throw new SubjectConflict(this.subject, `${box}/${run}`, other);
    // At most one publish of the box's previous start can still arrive.
    if (whileWriting && headers.run !== run && ++this.#strangers > 1) {
      throw new SubjectConflict(this.subject, `${box}/${run}`, other);
    }
    const { file, numbers, part } = headers;
    const isWhole = part === undefined || part.index === part.count - 1;
    const number = isWhole ? numbers.at(-1)! : numbers[0]! - 1;
    if (isWhole || headers.run !== run) return { seq: stored.seq, file, number };
    // All parts but the last are of one length.
    return { seq: stored.seq, file, number, begun: { ...part, partBytes: stored.data.length } };
  }
}

/** On a thin link less goes into one publish, so that it is acknowledged before that counts as missing. */
function limitsNow({ limits, window: { sendBytes } }: WriterContext): PayloadLimits {
  return {
    maxBatchBytes: Math.min(limits.maxBatchBytes, sendBytes),
    maxPayloadBytes: Math.min(limits.maxPayloadBytes, sendBytes),
  };
}

/**
 * An id made only of the messages and the part, so that a publish that is repeated has the same
 * one. Parts that are cut otherwise have others.
 */
function messageId({ file, numbers, part }: BatchHeaders, partBytes: number): string {
  const range = `${file}.${numbers[0]}-${numbers.at(-1)}.${numbers.length}`;
  return part === undefined ? range : `${range}.${part.index}/${part.count}.${partBytes}`;
}

/** Whether these are the first messages of a file, and so few that sending them twice costs little. */
function isSmallStart(messages: readonly NumberedMessage[]): boolean {
  const bytes = messages.reduce((sum, { msg }) => sum + msg.encoded.bytes.length, 0);
  return messages[0]!.number === 0 && bytes <= MAX_UNASKED_BYTES;
}
