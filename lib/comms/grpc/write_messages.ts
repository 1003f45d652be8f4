import { ArrowEnvelopes } from "../../encoding/protobuf/arrow_envelope.ts";
import { writeHead } from "../../encoding/protobuf/encode_log_msg.ts";
import { type DecodeLimits, decodeLimits } from "../../encoding/limits.ts";
import { bytes, ProtobufBudget, readMessage } from "../../encoding/protobuf/protobuf.ts";
import { decodeProtobufLogMsg } from "../../encoding/protobuf/protobuf_log_msg.ts";
import type { ProtobufDialect } from "../../encoding/protobuf/protobuf_store_info.ts";
import type { RrdHeader } from "../../encoding/rrd_header.ts";
import { MESSAGE_HEADER_BYTES } from "../../encoding/rrd/rrd_message.ts";
import { InvalidMessage, RerelayError } from "../../base/errors.ts";
import type { BufferPool } from "../../memory/buffer_pool.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { Step, StepResult } from "../../base/step.ts";
import { type BodyResult, GrpcBody } from "./body.ts";
import { type Encoding, Inflation, type InflationTurns } from "./inflate.ts";
import type { StoreHeaders } from "./store_headers.ts";

const HEAD_BYTES = MESSAGE_HEADER_BYTES.protobuf;
/**
 * The highest kind of a log message that there may be one day: a tag of one byte can say no more.
 */
const MAX_KIND = 15;
/** Tag of `log_msg`, the first field of a request. */
const LOG_MSG_TAG = 1 << 3 | 2;
const ARROW_MSG = 2;

/** Options of {@linkcode WriteMessages}. */
export interface WriteMessagesOptions extends DecodeLimits {
  /** Which service was called. */
  readonly dialect: ProtobufDialect;
  /** Gives messages their RRD headers, for all calls. */
  readonly headers: StoreHeaders;
  /** Where memory for messages comes from; without it, it is new. */
  readonly pool?: BufferPool | undefined;
  /**
   * Takes memory from slabs until a message is whole; `body.clear` must be called at the end then.
   */
  readonly inSlabs?: boolean;
  /** How compressed messages are compressed; left out, no message may be. */
  readonly encoding?: Encoding | undefined;
  /** The turns to inflate, shared by all calls. */
  readonly turns?: InflationTurns | undefined;
}

/** The body of a `WriteMessages` call → log messages, each with its bytes as in a `.rrd` file. */
export class WriteMessages implements Step<Uint8Array, LogMsg> {
  /** Cuts the body into requests, and knows how far the call is. */
  readonly body: GrpcBody;
  readonly #options: WriteMessagesOptions;
  readonly #limits: Required<DecodeLimits>;
  readonly #envelopes: ArrowEnvelopes;
  #isOver = false;

  /** @param options limits, and what calls share */
  constructor(options: WriteMessagesOptions) {
    this.#options = options;
    this.#limits = decodeLimits(options);
    this.#envelopes = new ArrowEnvelopes(options.dialect, this.#limits);
    const { maxMessageBytes } = this.#limits;
    // The header of a `.rrd` message is written over what precedes the log message in its request,
    // which is a little shorter: hence the headroom.
    this.body = new GrpcBody({ ...options, maxMessageBytes, headroom: HEAD_BYTES });
  }

  push(bytes: Uint8Array): BodyResult<LogMsg> {
    if (this.#isOver) return { items: [] };
    const { items: requests, ...others } = this.body.push(bytes);
    const { items, error } = this.#decodeAll(requests);
    const msg = items[0];
    if (msg?.kind === "ArrowMsg") this.body.alignLike(requests[0]!, msg.arrow.bytes);
    return error === undefined ? { items, ...others } : { items, error };
  }

  /** Makes the inflation of a compressed message, which must be run before more is pushed. */
  inflation(onGrow: () => void): Inflation {
    const { encoding, turns } = this.#options;
    const { maxMessageBytes } = this.#limits;
    const headroom = HEAD_BYTES;
    return new Inflation({ encoding: encoding!, maxMessageBytes, headroom, onGrow, turns });
  }

  /**
   * Takes the message that was compressed.
   *
   * @param request as its inflation gave it
   */
  pushInflated(request: Uint8Array): StepResult<LogMsg> {
    return this.#isOver ? { items: [] } : this.#decodeAll([request]);
  }

  finish(): StepResult<LogMsg> {
    const { error } = this.#isOver ? {} : this.body.finish();
    return error === undefined ? { items: [] } : { items: [], error };
  }

  #decodeAll(requests: readonly Uint8Array[]): StepResult<LogMsg> {
    const items: LogMsg[] = [];
    for (const request of requests) {
      try {
        items.push(this.#decode(request));
      } catch (invalid) {
        // Anything else is a bug of ours, which has to be seen with its stack.
        if (!(invalid instanceof RerelayError)) throw invalid;
        this.#isOver = true;
        return { items, error: invalid };
      }
    }
    return { items };
  }

  #decode(request: Uint8Array): LogMsg {
    const { dialect, headers } = this.#options;
    const { kind, bytes } = withHead(request, dialect, this.#limits);
    // The header depends on the store, which is known once the message is decoded.
    const encoded: { header: RrdHeader; bytes: Uint8Array } = {
      header: headers.first[dialect],
      bytes,
    };
    const msg = kind === ARROW_MSG && this.#envelopes.decode(bytes, HEAD_BYTES, encoded) ||
      decodeProtobufLogMsg(kind, bytes.subarray(HEAD_BYTES), dialect, encoded, this.#limits);
    encoded.header = headers.of(msg, dialect);
    return msg;
  }
}

/** A log message with its bytes as in a `.rrd` file. */
interface Unwrapped {
  readonly kind: number;
  readonly bytes: Uint8Array;
}

/** Writes a message's kind and length before it, over what is there. */
function withHead(
  request: Uint8Array,
  dialect: ProtobufDialect,
  limits: Required<DecodeLimits>,
): Unwrapped {
  const outer = dialect === "v0" ? 0 : onlyField(request, 0);
  const at = outer < 0 ? -1 : onlyField(request, outer);
  const isPlain = at > 0 && (dialect === "v0" || request[0] === LOG_MSG_TAG) &&
    (request[outer]! & 7) === 2;
  // Asked for its buffer once, and no other view is made, for both are slow (see pinned_bytes.ts).
  const { buffer, byteOffset, length: end } = request;
  const { kind, from, length } = isPlain
    ? { kind: request[outer]! >> 3, from: byteOffset + at, length: end - at }
    : unwrap(request, dialect, limits);
  const bytes = new Uint8Array(buffer, from - HEAD_BYTES, HEAD_BYTES + length);
  writeHead(bytes, 0, kind, length);
  return { kind, bytes };
}

/**
 * Finds the log message in a request that has other fields, too, or lacks it; gives where it is in the
 * request's buffer.
 */
function unwrap(
  request: Uint8Array,
  dialect: ProtobufDialect,
  limits: Required<DecodeLimits>,
): { kind: number; from: number; length: number } {
  const budget = new ProtobufBudget(limits);
  let logMsg = dialect === "v0" ? request : undefined;
  if (dialect !== "v0") {
    readMessage(request, "WriteMessagesRequest", {
      [LOG_MSG_TAG >> 3]: bytes((value) => logMsg = value),
    }, budget);
  }
  if (logMsg === undefined) throw new InvalidMessage("A WriteMessagesRequest has no log_msg");
  let found: { kind: number; from: number; length: number } | undefined;
  const take = (kind: number) =>
    bytes(({ byteOffset, length }) => found = { kind, from: byteOffset, length });
  const kinds = Array.from({ length: MAX_KIND }, (_, i) => i + 1);
  readMessage(logMsg, "LogMsg", Object.fromEntries(kinds.map((k) => [k, take(k)])), budget);
  if (found === undefined) throw new InvalidMessage("A LogMsg holds no message");
  return found;
}

/**
 * Where the value of a field begins, if that field has a tag of one byte and reaches to the end of
 * the bytes; else −1.
 */
function onlyField(bytes: Uint8Array, from: number): number {
  const end = bytes.length;
  const tag = bytes[from];
  if (tag === undefined || tag < 8 || tag > 0x7f) return -1;
  let length = 0;
  for (let at = from + 1, scale = 1; at < Math.min(end, from + 6); at++, scale *= 128) {
    const byte = bytes[at]!;
    length += (byte & 0x7f) * scale;
    if (byte < 0x80) return at + 1 + length === end ? at + 1 : -1;
  }
  return -1;
}
