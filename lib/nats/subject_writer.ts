/**
 * Writes the messages of one recording into the stream, one publish after the other: each says which
 * one it must stand behind, so that none is stored twice, left out, or before an earlier one.
 *
 * @module
 */
import { RerelayError } from "../base/errors.ts";
import type { Nats } from "./connection.ts";
import { type BatchHeaders, headerFields, readHeaders } from "./headers.ts";
import type { ByteGate } from "../memory/byte_gate.ts";
import {
  type NumberedMessage,
  partsOf,
  type PayloadLimits,
  payloadOf,
  publishRuns,
} from "./payload.ts";
import { codeOf, STREAM } from "./stream.ts";

/** Another box, or a copy of this one, writes the same recording. */
export class SubjectConflict extends RerelayError {
  /**
   * Names both.
   *
   * @param subject which both write
   * @param own we, as `instance/run`
   * @param other the other one
   */
  constructor(readonly subject: string, readonly own: string, readonly other: string) {
    super(
      `Two boxes send as one, by ${subject} in the stream ${STREAM}: this one is ${own}, and ` +
        `${other} has written there, too. Was a disk or an SD card copied? Give this box another ` +
        "name (--box), or take the file .rerelay-box.json out of its folder of recordings",
    );
  }
}

/** What all recordings of a target share. */
export interface WriterContext {
  readonly nats: Nats;
  /** Of this box and this start of the program. */
  readonly box: string;
  readonly run: string;
  readonly limits: PayloadLimits;
  readonly gate: ByteGate;
  /** After so many milliseconds without an acknowledgement a publish counts as failed. */
  readonly ackTimeoutMs: number;
}

/** What stands in one file, and is to be written. */
export interface FileMessages {
  /** The id of the file. */
  readonly file: string;
  readonly messages: readonly NumberedMessage[];
  /** For how long the first of them has waited, in milliseconds, if that is known. */
  readonly waitedMs?: number;
}

/** What stands last under a subject. */
interface Last {
  /** Its sequence in the stream; 0 where nothing stands there. */
  readonly seq: number;
  readonly file?: string;
  /** The last message that stands there whole. */
  readonly number?: number;
}

const WRONG_SEQUENCE = [10071, 10164];

/** JetStream's number where nothing stands under a subject. */
const NO_MESSAGE = 10037;

/** The messages of one recording of this box. */
export class SubjectWriter {
  /** Absent where it has to be asked for. */
  #last: Last | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  /** How often something came while we wrote that this start of the program has not sent. */
  #strangers = 0;
  /** Writes under way. */
  users = 0;

  constructor(readonly subject: string) {}

  /**
   * Stores messages of one file, as far as they are not there already.
   *
   * @throws {SubjectConflict} if somebody else writes here
   * @throws whatever the client says if that fails: what is there is then asked for the next time
   */
  write(
    context: WriterContext,
    written: FileMessages,
    signal: AbortSignal,
  ): Promise<void> {
    this.users++;
    const turn = this.#turn.catch(() => {}).then(() => this.#write(context, written, signal));
    this.#turn = turn;
    return turn.finally(() => this.users--);
  }

  async #write(
    context: WriterContext,
    { file, messages, waitedMs }: FileMessages,
    signal: AbortSignal,
  ): Promise<void> {
    let left = messages;
    while (left.length > 0) {
      signal.throwIfAborted();
      this.#last ??= await this.#look(context);
      const { file: lastFile, number = -1 } = this.#last;
      if (lastFile === file && left[0]!.number <= number) {
        left = left.filter((message) => message.number > number);
        continue;
      }
      const [run] = publishRuns(left, context.limits);
      const waited = waitedMs === undefined ? {} : { waitedMs: Math.round(waitedMs) };
      await this.#publishRun(context, { file, messages: run!, ...waited }, signal);
    }
  }

  /** All of it, or an error; what stands there last is known afterwards, or is asked for. */
  async #publishRun(
    context: WriterContext,
    { file, messages: run, ...waited }: FileMessages,
    signal: AbortSignal,
  ): Promise<void> {
    const payload = payloadOf(run);
    const parts = partsOf(payload, context.limits.maxPayloadBytes);
    const numbers = run.map(({ number }) => number);
    const { box, run: start } = context;
    let last = this.#last!;
    this.#last = undefined;
    for (const [index, part] of parts.entries()) {
      const place = parts.length === 1
        ? {}
        : { part: { index, count: parts.length, bytes: payload.length } };
      const headers = { box, run: start, file, numbers, ...waited, ...place };
      const send = (id: string) =>
        context.gate.through(
          part.length,
          signal,
          () => aborted(signal, this.#publish(context, { id, headers, part, behind: last.seq })),
        );
      let seq: number;
      try {
        const id = messageId(headers);
        seq = await send(id);
        // A part that an earlier attempt left counts only where it stands behind those before it.
        if (parts.length > 1 && seq < last.seq) seq = await send(`${id}.${crypto.randomUUID()}`);
      } catch (error) {
        if (!WRONG_SEQUENCE.includes(codeOf(error) ?? 0)) throw error;
        this.#last = await this.#look(context, true);
        return;
      }
      // What was there before stands further up, where a file is sent a second time.
      last = { ...last, seq: Math.max(seq, last.seq) };
    }
    this.#last = { seq: last.seq, file, number: numbers.at(-1)! };
  }

  async #publish(
    { nats, ackTimeoutMs }: WriterContext,
    { id, headers, part, behind }: {
      readonly id: string;
      readonly headers: BatchHeaders;
      readonly part: Uint8Array;
      readonly behind: number;
    },
  ): Promise<number> {
    const { seq, stream } = await nats.client.publish(this.subject, part, {
      msgID: id,
      // Not the stream's name: a stream that takes this one over from a leaf node would refuse it.
      expect: { lastSubjectSequence: behind },
      headers: nats.headers(headerFields(headers)),
      timeout: ackTimeoutMs,
    });
    if (stream === STREAM) return seq;
    throw new Error(`The stream ${stream} has the subject ${this.subject}, and not ${STREAM}`);
  }

  /**
   * Asks what stands there last. While we write that is a publish of ours whose answer was lost, or one
   * that this box had under way when it was killed; anything else is somebody else's.
   */
  async #look({ nats, box, run }: WriterContext, whileWriting = false): Promise<Last> {
    const stored = await nats.manager.streams.getMessage(STREAM, { last_by_subj: this.subject })
      .catch((error: unknown) => {
        if (codeOf(error) === NO_MESSAGE) return null;
        throw error;
      });
    if (stored === null) return { seq: 0 };
    const headers = readHeaders((name) => stored.header.get(name));
    const other = headers === undefined
      ? `a program that is no Rerelay (message ${stored.seq})`
      : `${headers.box}/${headers.run}`;
    if (headers?.box !== box) throw new SubjectConflict(this.subject, `${box}/${run}`, other);
    // Of its start before, a box has one publish under way at most.
    if (whileWriting && headers.run !== run && ++this.#strangers > 1) {
      throw new SubjectConflict(this.subject, `${box}/${run}`, other);
    }
    const { file, numbers, part } = headers;
    const isWhole = part === undefined || part.index === part.count - 1;
    const number = isWhole ? numbers.at(-1)! : numbers[0]! - 1;
    return { seq: stored.seq, file, number };
  }
}

/** An id that depends on the messages and the part alone, so that one sent again has it again. */
function messageId({ file, numbers, part }: BatchHeaders): string {
  const range = `${file}.${numbers[0]}-${numbers.at(-1)}.${numbers.length}`;
  return part === undefined ? range : `${range}.${part.index}/${part.count}`;
}

/** Does not wait for what is not wanted any more. */
function aborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
