import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import type { DecodeLimits } from "../../encoding/limits.ts";
import { shown } from "../../base/errors.ts";
import type { BufferPool } from "../../memory/buffer_pool.ts";
import { answerError, answerFrames, answerMessage } from "./answer.ts";
import { type AnswerProgress, type CallStream, isGrpc } from "./call_stream.ts";
import { checkHealth, HEALTH_CHECK } from "./health.ts";
import { encodingOf, InflationTurns } from "./inflate.ts";
import { type ProxyMethod, proxyMethod, readTable, type TableMessage } from "./message_proxy.ts";
import { GrpcError, parseTimeout, STATUS } from "./status.ts";
import { QuestionCall } from "./question_call.ts";
import { type PendingRequest, RequestMessage } from "./request_message.ts";
import { StoreHeaders } from "./store_headers.ts";
import { WriteCall } from "./write_call.ts";
import { WriteMessages } from "./write_messages.ts";

/** What is known of a call besides its messages. */
export interface CallInfo {
  /** Which method was called. */
  readonly method: ProxyMethod;
  /** Header fields of the request: metadata, and those of HTTP. */
  readonly headers: ReadonlyMap<string, string>;
}

/** What is known of a call whose answer may take long. */
export interface AnswerInfo extends CallInfo {
  /** Aborts, with a reason, when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** How far the answer has come. */
  readonly progress?: AnswerProgress;
}

/** What calls do. Each may throw a `GrpcError`, or reject with one, which is what the peer is told. */
export interface CallHandlers<Peer> {
  /**
   * Called when a call begins; throws to refuse it before any of its body is kept. Left out, no
   * call is refused.
   *
   * @throws {GrpcError} what the peer is told
   */
  check?(info: CallInfo, peer: Peer): void;
  /** Called when a call of one message begins, which holds memory until it is over. */
  requested?(request: PendingRequest, peer: Peer): void;
  /** Called when an SDK begins to log; must call `call.admit` or `call.fail`, now or later. */
  writeMessages(call: WriteCall, info: CallInfo, peer: Peer): void;
  /**
   * Called when a viewer wants what was logged; gives frames as `readFrame` makes them. The call
   * ends well when they end.
   */
  readMessages(info: AnswerInfo, peer: Peer): AsyncIterable<readonly Uint8Array[]>;
  /** Called with a table that an SDK sends. */
  writeTable(table: TableMessage, info: AnswerInfo, peer: Peer): Promise<void> | void;
  /** Called when a viewer wants tables; gives frames whose messages are those that were written. */
  readTables(info: AnswerInfo, peer: Peer): AsyncIterable<readonly Uint8Array[]>;
  /** Whether new calls are taken, for probes. */
  isServing(): boolean;
  /**
   * Called when a call other than `writeMessages` has ended with an error, which the peer was told.
   */
  failed(error: Error, headers: ReadonlyMap<string, string>, peer: Peer): void;
}

/** Options of {@linkcode GrpcService}. */
export interface GrpcServiceOptions extends DecodeLimits {
  /** Remembers the RRD headers that messages get, shared by all calls; default one of its own. */
  readonly headers?: StoreHeaders;
  /** Where memory for messages comes from; without it, it is new. */
  readonly pool?: BufferPool | undefined;
  /** Limit of a table in bytes; default 64 MiB. */
  readonly maxTableBytes?: number;
  /**
   * Runs a task in so many milliseconds, unless the function that it returns is called before;
   * default by a timer.
   */
  readonly timer?: Clock["timer"];
}

/** Limit of requests that say little, in bytes: viewers send some ten. */
const MAX_REQUEST_BYTES = 4 * 1024;
const MAX_TABLE_BYTES = 64 * 1024 * 1024;
/** Path of the reflection method, in both of its packages. */
const REFLECTION = /^\/grpc\.reflection\.v1(alpha)?\.ServerReflection\/ServerReflectionInfo$/;
/**
 * How long a call of reflection may take, in milliseconds: tools ask within seconds, and can call
 * again.
 */
const REFLECTION_MS = 60_000;
/** The longest time of a timer, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Dispatches calls: looks at their path, content type and deadline, lets a handler do the work, and
 * answers.
 */
export class GrpcService<Peer> {
  readonly #handlers: CallHandlers<Peer>;
  readonly #options: GrpcServiceOptions;
  readonly #headers: StoreHeaders;
  readonly #turns = new InflationTurns();
  readonly #timer: NonNullable<GrpcServiceOptions["timer"]>;

  /**
   * @param handlers what calls do
   * @param options limits, and what calls share
   */
  constructor(handlers: CallHandlers<Peer>, options: GrpcServiceOptions = {}) {
    this.#handlers = handlers;
    this.#options = options;
    this.#headers = options.headers ?? new StoreHeaders();
    this.#timer = options.timer ?? SYSTEM_CLOCK.timer;
  }

  /**
   * Takes a new call, and sets its sink before it returns.
   *
   * @param stream of the call
   * @param peer who makes the call, for the handlers
   */
  accept(stream: CallStream, peer: Peer): void {
    const { headers } = stream;
    const type = headers.get("content-type");
    if (headers.get(":method") !== "POST" || !isGrpc(type)) {
      const what = `${shown(headers.get(":method"))} of ${shown(type)}`;
      const error = new GrpcError(STATUS.UNIMPLEMENTED, `Only gRPC is spoken here, no ${what}`);
      stream.respond([[":status", "415"]], true);
      return this.#handlers.failed(error, headers, peer);
    }
    try {
      this.#begin(stream, parseTimeout(headers.get("grpc-timeout")), peer);
    } catch (error) {
      if (!(error instanceof GrpcError)) throw error;
      answerError(stream, error);
      this.#handlers.failed(error, headers, peer);
    }
  }

  #begin(stream: CallStream, timeoutMs: number, peer: Peer): void {
    const { headers } = stream;
    const path = headers.get(":path") ?? "";
    if (path === HEALTH_CHECK) {
      return this.#request(stream, MAX_REQUEST_BYTES, timeoutMs, peer, (message) => {
        answerMessage(stream, checkHealth(message, this.#handlers.isServing()));
      });
    }
    if (REFLECTION.test(path)) return this.#reflect(stream, timeoutMs, peer);
    const method = proxyMethod(path);
    if (method === undefined) {
      throw new GrpcError(STATUS.UNIMPLEMENTED, `There is no method ${shown(path)}`);
    }
    const handlers = this.#handlers;
    handlers.check?.({ method, headers }, peer);
    const { maxTableBytes = MAX_TABLE_BYTES } = this.#options;
    switch (method.name) {
      case "WriteMessages":
        return this.#write(stream, timeoutMs, { method, headers }, peer);
      case "WriteTable":
        return this.#request(stream, maxTableBytes, timeoutMs, peer, async (message, signal) => {
          await handlers.writeTable(readTable(message), { method, headers, signal }, peer);
          if (stream.isWritable) answerMessage(stream, new Uint8Array(0));
        });
      case "ReadMessages":
        return this.#request(
          stream,
          MAX_REQUEST_BYTES,
          timeoutMs,
          peer,
          (_, signal) =>
            answerFrames(
              stream,
              handlers.readMessages({ method, headers, signal, progress: stream }, peer),
            ),
        );
      case "ReadTables":
        return this.#request(
          stream,
          MAX_REQUEST_BYTES,
          timeoutMs,
          peer,
          (_, signal) =>
            answerFrames(stream, handlers.readTables({ method, headers, signal }, peer)),
        );
    }
  }

  /** Answers reflection; the descriptions of services are loaded when somebody asks. */
  #reflect(stream: CallStream, timeoutMs: number, peer: Peer): void {
    const call = new QuestionCall(stream, MAX_REQUEST_BYTES, {
      answer: async (question) => (await import("./reflection.ts")).reflect(question),
      over: (error) => {
        cancel();
        if (error === undefined || !stream.isWritable) return;
        answerError(stream, error);
        this.#handlers.failed(error, stream.headers, peer);
      },
    });
    const cancel = this.#deadline(Math.min(timeoutMs, REFLECTION_MS), (error) => call.fail(error));
    stream.sink = call;
    this.#handlers.requested?.(call, peer);
  }

  #write(stream: CallStream, timeoutMs: number, info: CallInfo, peer: Peer): void {
    const step = new WriteMessages({
      ...this.#options,
      dialect: info.method.dialect,
      headers: this.#headers,
      inSlabs: true,
      encoding: encodingOf(stream.headers.get("grpc-encoding")),
      turns: this.#turns,
    });
    const call = new WriteCall(stream, step, () => cancel());
    const cancel = this.#deadline(timeoutMs, (error) => call.fail(error));
    stream.sink = call;
    try {
      this.#handlers.writeMessages(call, info, peer);
    } catch (error) {
      if (!(error instanceof GrpcError)) throw error;
      call.fail(error);
    }
  }

  /** Takes a call whose request is one message. */
  #request(
    stream: CallStream,
    maxMessageBytes: number,
    timeoutMs: number,
    peer: Peer,
    answer: (message: Uint8Array, signal: AbortSignal) => Promise<void> | void,
  ): void {
    const life = new AbortController();
    const end = (error?: Error) => {
      cancel();
      if (error === undefined || life.signal.aborted) return;
      life.abort(error);
      answerError(stream, error);
      this.#handlers.failed(error, stream.headers, peer);
    };
    const encoding = encodingOf(stream.headers.get("grpc-encoding"));
    const request = new RequestMessage(stream, { maxMessageBytes, encoding, turns: this.#turns }, {
      onMessage: async (message) => {
        try {
          await answer(message, life.signal);
          end();
        } catch (error) {
          end(error as Error);
        }
      },
      onError: end,
      onGone: (error) => {
        cancel();
        life.abort(error);
      },
    });
    const cancel = this.#deadline(timeoutMs, (error) => {
      if (request.isOver) end(error);
      else request.fail(error);
    });
    stream.sink = request;
    this.#handlers.requested?.(request, peer);
  }

  /** Calls `pass` when the peer's own deadline has passed. */
  #deadline(ms: number, pass: (error: Error) => void): () => void {
    if (ms > MAX_TIMER_MS) return () => {};
    const text = `The deadline of ${
      Number((ms / 1000).toFixed(6))
    } s that the call came with has passed`;
    return this.#timer(ms, () => pass(new GrpcError(STATUS.DEADLINE_EXCEEDED, text)));
  }
}
