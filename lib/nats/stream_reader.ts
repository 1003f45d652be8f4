/**
 * Reads the stream from a place on, in order and without a gap, for as long as it is wanted: a consumer
 * that acknowledges nothing is made at the server, and made anew from where we are whenever it is lost.
 *
 * @module
 */
import type { Msg, Subscription } from "@nats-io/transport-node";
import { reason } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { STREAM } from "./stream.ts";
import type { Nats } from "./connection.ts";

/** A message as it stands in the stream. */
export interface StreamMessage {
  readonly subject: string;
  /** Its place in the stream; they grow, and leave out what is of other subjects or was removed. */
  readonly seq: number;
  /** When JetStream stored it, in milliseconds since the Unix epoch, by its clock. */
  readonly storedMs: number;
  /** How many wait behind it. */
  readonly pending: number;
  /** A field of its header; an empty text where it is missing. */
  header(name: string): string;
  /** Views of memory that is the reader's own. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/** What is read. */
export interface StreamReaderOptions {
  readonly nats: Nats;
  /** As `filterSubjects` gives them. */
  readonly subjects: readonly string[];
  /** The last one that is not wanted any more; 0 for all. */
  readonly after: number;
  /** Bytes that are asked for at once. */
  readonly pullBytes: number;
  readonly log: Log;
  readonly clock: Pick<Clock, "now" | "delay" | "timer">;
}

const MS = 1_000_000;
/** A pull that gets nothing ends after so long; meanwhile the server says so often that it is there. */
const EXPIRES_MS = 30_000;
const HEARTBEAT_MS = 2_000;
/** After so long without a word the consumer is taken for lost. */
const SILENCE_MS = 5_000;
/** A consumer that nobody pulls from is removed by the server after so long. */
const INACTIVE_MS = 5 * 60_000;
const MAX_MESSAGES_PER_PULL = 100_000;
const RETRY_MS = 250;
const MAX_RETRY_MS = 5_000;

/** The consumer that is read by now. */
interface Pulling {
  readonly name: string;
  readonly subscription: Subscription;
  /** Messages that came and were not given out. */
  readonly came: Msg[];
  wake: (() => void) | undefined;
  /** Of the pull that is under way; below 1 where none is. */
  bytesLeft: number;
  /** When something came last. */
  heardMs: number;
  /** The number of the last message that the server sent by this consumer. */
  delivered: number;
  lost: string | undefined;
}

/** Reads a stream. */
export class StreamReader {
  readonly #options: StreamReaderOptions;
  #after: number;
  #pulling: Pulling | undefined;

  /** @param options what is read */
  constructor(options: StreamReaderOptions) {
    this.#options = options;
    this.#after = options.after;
  }

  /**
   * Gives messages as they come; asks for more only while they are taken.
   *
   * @param signal ends it
   */
  async *read(signal: AbortSignal): AsyncGenerator<StreamMessage> {
    const { clock: { delay }, log } = this.#options;
    for (let retryMs = RETRY_MS; !signal.aborted; retryMs = Math.min(2 * retryMs, MAX_RETRY_MS)) {
      if (this.#options.nats.link.aborted && !this.#options.nats.connection.isClosed()) {
        await delay(RETRY_MS);
        continue;
      }
      try {
        this.#pulling = await this.#begin();
        for await (const message of this.#messages(this.#pulling, signal)) {
          retryMs = RETRY_MS;
          yield message;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (this.#options.nats.connection.isClosed()) throw error;
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

  async #begin(): Promise<Pulling> {
    const { nats, subjects, clock: { now } } = this.#options;
    const { link } = nats;
    const { name } = await nats.manager.consumers.add(STREAM, {
      deliver_policy: "by_start_sequence",
      opt_start_seq: this.#after + 1,
      ack_policy: "none",
      replay_policy: "instant",
      filter_subjects: [...subjects],
      inactive_threshold: INACTIVE_MS * MS,
      num_replicas: 1,
      mem_storage: true,
    });
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
      ...{ bytesLeft: 0, delivered: 0, heardMs: now() },
    };
    // What was asked for over a connection that broke does not come.
    const lose = () => {
      pulling.lost = reason(link.reason);
      pulling.wake?.();
    };
    if (link.aborted) lose();
    else link.addEventListener("abort", lose, { once: true });
    return pulling;
  }

  #end(): void {
    const pulling = this.#pulling;
    this.#pulling = undefined;
    if (pulling === undefined) return;
    const { connection, manager } = this.#options.nats;
    pulling.subscription.unsubscribe();
    // Else the server removes it by itself.
    if (!connection.isClosed()) manager.consumers.delete(STREAM, pulling.name).catch(() => {});
  }

  async *#messages(pulling: Pulling, signal: AbortSignal): AsyncGenerator<StreamMessage> {
    while (!signal.aborted) {
      if (pulling.lost !== undefined) throw new Error(pulling.lost);
      const came = pulling.came.splice(0);
      // What is asked for now comes while this is taken: at most twice as much is held as is asked for.
      if (pulling.bytesLeft < 1) this.#pull(pulling);
      if (came.length === 0) await this.#wait(pulling, signal);
      for (const msg of came) {
        const message = this.#message(pulling, msg);
        if (message !== undefined) yield message;
        if (signal.aborted) return;
      }
    }
  }

  /** Nothing where it is a word of the server's. */
  #message(pulling: Pulling, msg: Msg): StreamMessage | undefined {
    if (msg.subject === pulling.subscription.getSubject()) {
      return void this.#status(pulling, msg.headers?.code ?? 0, msg.headers?.description ?? "");
    }
    // The server counts subjects and headers, too; the client's types leave that out.
    pulling.bytesLeft -= (msg as Msg & { size(): number }).size();
    const info = deliveryOf(msg.reply ?? "");
    if (info === undefined) return undefined;
    if (info.delivered !== pulling.delivered + 1) throw new Error("a message is missing");
    pulling.delivered = info.delivered;
    // A consumer that was made anew may begin with what we have.
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
    // Idle, but there.
    if (code === 100) return;
    pulling.bytesLeft = 0;
    // The time is over, there is nothing, or what is next did not fit into the rest.
    const isOver = code === 404 || code === 408 ||
      /size exceeds|batch completed/i.test(description);
    if (!isOver) throw new Error(`${code} ${description}`);
  }

  #pull(pulling: Pulling): void {
    const { nats: { connection }, pullBytes, clock: { now } } = this.#options;
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
    signal.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    callOff();
    pulling.wake = undefined;
    if (pulling.came.length > 0 || signal.aborted) return;
    if (this.#options.clock.now() - pulling.heardMs >= SILENCE_MS - 100) {
      throw new Error("the server says nothing");
    }
  }
}

/** What the reply subject of a message says of it: `$JS.ACK.…`, in the older form or the newer. */
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
