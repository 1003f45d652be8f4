/**
 * Reads the stream from a place on, in order and without gaps. It makes a consumer at the server
 * that acknowledges nothing, and whenever that is lost, a new one that goes on from the present
 * place.
 *
 * @module
 */
import type { Msg, Subscription } from "@nats-io/transport-node";
import { reason } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import { untilAborted } from "../base/until_aborted.ts";
import type { Log } from "../base/log.ts";
import { saysStreamGone, STREAM, StreamGone } from "./stream.ts";
import type { Nats } from "./connection.ts";

/** A message of the stream. */
export interface StreamMessage {
  readonly subject: string;
  /**
   * Its number in the stream. Numbers grow, with gaps where messages have other subjects or were
   * removed.
   */
  readonly seq: number;
  /** When JetStream stored it, in milliseconds since the Unix epoch, by its clock. */
  readonly storedMs: number;
  /** How many messages follow it in the stream by now. */
  readonly pending: number;
  /** Gives a field of its header; an empty text if it has none. */
  header(name: string): string;
  /** The bytes of the message: a view of memory that nothing else writes to. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/** What a reader reads. */
export interface StreamReaderOptions {
  readonly nats: Nats;
  /** The subjects to read, from `filterSubjects`. */
  readonly subjects: readonly string[];
  /** When the stream was made, by which it is known: numbers of another one mean nothing. */
  readonly created: string;
  /** The number of the last message that is not to be read; 0 to read all. */
  readonly after: number;
  /** How many bytes are requested at once. */
  readonly pullBytes: number;
  readonly log: Log;
  readonly clock: Pick<Clock, "now" | "delay" | "timer">;
  /**
   * Called when the stream can be read, and when it can't: the connection alone does not tell, since the
   * server may refuse the consumer, or say nothing.
   */
  readonly onReading?: (isReading: boolean) => void;
  /**
   * Called with why the stream can't be read, each time that reading is about to begin anew: a server that
   * is frozen keeps its connection for half a minute.
   */
  readonly onFailure?: (error: unknown) => void;
  /** Called with the time at the server, in ISO 8601 as far as it tells, whenever reading begins. */
  readonly onTime?: (ts: string | undefined) => void;
}

const MS = 1_000_000;
/**
 * A pull that gets nothing ends after so long, in milliseconds; meanwhile the server sends
 * heartbeats.
 */
const EXPIRES_MS = 30_000;
const HEARTBEAT_MS = 2_000;
/** The consumer counts as lost when the server has sent nothing for so long, in milliseconds. */
const SILENCE_MS = 5_000;
/** The server removes a consumer that nobody has pulled from for so long, in milliseconds. */
const INACTIVE_MS = 5 * 60_000;
const MAX_MESSAGES_PER_PULL = 100_000;
const RETRY_MS = 250;
const MAX_RETRY_MS = 5_000;

/** The present consumer, and the state of its pulls. */
interface Pulling {
  readonly name: string;
  readonly subscription: Subscription;
  /** Messages that came and were not yielded yet. */
  readonly came: Msg[];
  wake: (() => void) | undefined;
  /** What the present pull may bring, and what is left of that, in bytes; below 1 if there is none. */
  pullBytes: number;
  bytesLeft: number;
  /** When the server sent something last. */
  heardMs: number;
  /** This consumer's number of the last message that came. */
  delivered: number;
  lost: string | undefined;
  /** Listens no more to whether the connection breaks. */
  readonly leaveLink: () => void;
}

/** Reads a stream. */
export class StreamReader {
  readonly #options: StreamReaderOptions;
  #after: number;
  #pulling: Pulling | undefined;
  readonly #onReading: (isReading: boolean) => void;
  /** Whether the server said nothing when it was read last. */
  #isSilent = false;

  /** @param options the connection, and what is to be read */
  constructor(options: StreamReaderOptions) {
    this.#options = options;
    this.#after = options.after;
    this.#onReading = options.onReading ?? (() => {});
  }

  /**
   * Yields messages as they come; requests more only while they are consumed.
   *
   * @param signal ends the reading
   * @throws {StreamGone} if the stream is not there any more, or was made anew
   */
  async *read(signal: AbortSignal): AsyncGenerator<StreamMessage> {
    const { clock: { delay }, log } = this.#options;
    for (let retryMs = RETRY_MS; !signal.aborted; retryMs = Math.min(2 * retryMs, MAX_RETRY_MS)) {
      if (this.#options.nats.link.aborted && !this.#options.nats.connection.isClosed()) {
        await delay(RETRY_MS);
        continue;
      }
      try {
        this.#pulling = await this.#begin(signal);
        if (!this.#isSilent) this.#onReading(true);
        for await (const message of this.#messages(this.#pulling, signal)) {
          retryMs = RETRY_MS;
          yield message;
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#onReading(false);
        if (this.#options.nats.connection.isClosed()) throw error;
        if (saysStreamGone(error)) throw new StreamGone(reason(error), { cause: error });
        this.#options.onFailure?.(error);
        const text = `Reading the stream ${STREAM} begins anew behind message ${this.#after}: ` +
          reason(error);
        log.write(retryMs < MAX_RETRY_MS ? "debug" : "warn", text, {
          stream: STREAM,
          kind: "stream read anew",
        });
        await delay(retryMs);
      } finally {
        this.#end();
      }
    }
  }

  async #begin(signal: AbortSignal): Promise<Pulling> {
    const { nats, subjects, created, clock: { now } } = this.#options;
    const { link } = nats;
    // What was asked over a connection that broke is not answered any more; and the end of the program does
    // not wait for a server that says nothing.
    const until = AbortSignal.any([link, signal]);
    const present = await untilAborted(until, nats.manager.streams.info(STREAM));
    if (present.created !== created) {
      throw new StreamGone(`the stream ${STREAM} was made anew at ${present.created}`);
    }
    this.#options.onTime?.(present.ts);
    const adding = nats.manager.consumers.add(STREAM, {
      deliver_policy: "by_start_sequence",
      opt_start_seq: this.#after + 1,
      ack_policy: "none",
      replay_policy: "instant",
      filter_subjects: [...subjects],
      inactive_threshold: INACTIVE_MS * MS,
      num_replicas: 1,
      mem_storage: true,
    });
    const { name } = await untilAborted(until, adding);
    const came: Msg[] = [];
    const subscription = nats.connection.subscribe(nats.inbox(), {
      callback: (error, msg) => {
        pulling.heardMs = now();
        if (error !== null) pulling.lost = reason(error);
        else came.push(msg);
        pulling.wake?.();
      },
    });
    const pulling: Pulling = {
      ...{ name, subscription, came, wake: undefined, lost: undefined },
      ...{ pullBytes: this.#options.pullBytes, bytesLeft: 0, delivered: 0, heardMs: now() },
      leaveLink: () => link.removeEventListener("abort", lose),
    };
    // Messages that were requested over a connection that broke do not come.
    const lose = () => {
      pulling.lost = reason(link.reason);
      pulling.wake?.();
    };
    if (link.aborted) lose();
    else link.addEventListener("abort", lose);
    return pulling;
  }

  #end(): void {
    const pulling = this.#pulling;
    this.#pulling = undefined;
    if (pulling === undefined) return;
    const { connection, manager } = this.#options.nats;
    pulling.leaveLink();
    pulling.subscription.unsubscribe();
    // If this fails, the server removes the consumer by itself after a while.
    if (!connection.isClosed()) manager.consumers.delete(STREAM, pulling.name).catch(() => {});
  }

  async *#messages(pulling: Pulling, signal: AbortSignal): AsyncGenerator<StreamMessage> {
    while (!signal.aborted) {
      if (pulling.lost !== undefined) throw new Error(pulling.lost);
      const came = pulling.came.splice(0);
      // Requests the next messages while these are consumed, so at most two pulls are held in
      // memory.
      if (pulling.bytesLeft < 1) this.#pull(pulling);
      if (came.length === 0) await this.#wait(pulling, signal);
      for (const msg of came) {
        const message = this.#message(pulling, msg);
        if (message !== undefined) yield message;
        if (signal.aborted) return;
      }
    }
  }

  /** Turns what came into a message; `undefined` if the server sent a status. */
  #message(pulling: Pulling, msg: Msg): StreamMessage | undefined {
    if (msg.subject === pulling.subscription.getSubject()) {
      return void this.#status(pulling, msg.headers?.code ?? 0, msg.headers?.description ?? "");
    }
    // The server counts subjects and headers too, as `size()` does, which the client's types lack.
    pulling.bytesLeft -= (msg as Msg & { size(): number }).size();
    pulling.pullBytes = this.#options.pullBytes;
    this.#heard();
    const info = deliveryOf(msg.reply ?? "");
    if (info === undefined) return undefined;
    if (info.delivered !== pulling.delivered + 1) throw new Error("a message is missing");
    pulling.delivered = info.delivered;
    // A new consumer may begin with messages that were read before.
    if (info.seq <= this.#after) return undefined;
    this.#after = info.seq;
    const { buffer, byteOffset, length } = msg.data;
    return {
      subject: msg.subject,
      seq: info.seq,
      storedMs: info.storedMs,
      pending: info.pending,
      header: (name) => msg.headers?.get(name) ?? "",
      data: new Uint8Array(buffer as ArrayBuffer, byteOffset, length),
    };
  }

  #status(pulling: Pulling, code: number, description: string): void {
    // Nothing came, since the next message alone is larger: a server may have taken larger ones before, or
    // takes them since it was started anew.
    const isTooLarge = /size exceeds/i.test(description);
    if (isTooLarge && pulling.bytesLeft === pulling.pullBytes) pulling.pullBytes *= 2;
    // A heartbeat.
    if (code === 100) return this.#heard();
    pulling.bytesLeft = 0;
    // The pull has ended: its time is over, there is nothing, or the next message did not fit into
    // the rest of its bytes.
    const isOver = code === 404 || code === 408 || isTooLarge ||
      /batch completed/i.test(description);
    if (!isOver) throw new Error(`the server answers ${code} ${description}`.trim());
    this.#heard();
  }

  #heard(): void {
    if (this.#isSilent) this.#onReading(true);
    this.#isSilent = false;
  }

  #pull(pulling: Pulling): void {
    const { nats: { connection }, clock: { now } } = this.#options;
    const { pullBytes } = pulling;
    pulling.bytesLeft = pullBytes;
    pulling.heardMs = now();
    const request = {
      batch: MAX_MESSAGES_PER_PULL,
      max_bytes: pullBytes,
      expires: EXPIRES_MS * MS,
      idle_heartbeat: HEARTBEAT_MS * MS,
    };
    connection.publish(
      `$JS.API.CONSUMER.MSG.NEXT.${STREAM}.${pulling.name}`,
      JSON.stringify(request),
      { reply: pulling.subscription.getSubject() },
    );
  }

  async #wait(pulling: Pulling, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    pulling.wake = resolve;
    const callOff = this.#options.clock.timer(SILENCE_MS, resolve);
    const stop = () => resolve();
    signal.addEventListener("abort", stop);
    await promise;
    // The signal is one for the whole life of the program, and this waits many times a second.
    signal.removeEventListener("abort", stop);
    callOff();
    pulling.wake = undefined;
    if (pulling.came.length > 0 || signal.aborted) return;
    if (this.#options.clock.now() - pulling.heardMs >= SILENCE_MS - 100) {
      this.#isSilent = true;
      throw new Error("the server says nothing");
    }
  }
}

/** The facts about a message in its reply subject, `$JS.ACK.…`, in the older or the newer form. */
function deliveryOf(reply: string) {
  const tokens = reply.split(".");
  const at = tokens.length === 9 ? 5 : 7;
  if (tokens[0] !== "$JS" || tokens.length < 9) return undefined;
  const [seq, delivered, nanos, pending] = tokens.slice(at, at + 4);
  return {
    seq: Number(seq),
    delivered: Number(delivered),
    storedMs: Number(nanos) / MS,
    pending: Number(pending),
  };
}
