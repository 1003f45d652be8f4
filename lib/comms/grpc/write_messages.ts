import { writeHead } from "../../encoding/protobuf/encode_log_msg.ts";
import { type DecodeLimits, decodeLimits } from "../../encoding/limits.ts";
import { bytes, ProtobufBudget, readMessage } from "../../encoding/protobuf/protobuf.ts";
import { decodeProtobufLogMsg } from "../../encoding/protobuf/protobuf_log_msg.ts";
import type { ProtobufDialect } from "../../encoding/protobuf/protobuf_store_info.ts";
import type { RrdHeader } from "../../encoding/rrd/rrd_header.ts";
import { MESSAGE_HEADER_BYTES } from "../../encoding/rrd/rrd_message.ts";
import { InvalidMessage, RerelayError } from "../../base/errors.ts";
import type { BufferPool } from "../../memory/buffer_pool.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { Step, StepResult } from "../../base/step.ts";
import { GrpcBody } from "./body.ts";
import type { StoreHeaders } from "./store_headers.ts";

const HEAD_BYTES = MESSAGE_HEADER_BYTES.protobuf;
/** Kinds of log messages that there may be one day: a tag of one byte says no more. */
const MAX_KIND = 15;
/** Of `log_msg`, the first field of a request, which has a length. */
const LOG_MSG_TAG = 1 << 3 | 2;

/** Options of {@linkcode WriteMessages}. */
export interface WriteMessagesOptions extends DecodeLimits {
  /** Which service was called. */
  readonly dialect: ProtobufDialect;
  /** The headers that messages get, over all calls. */
  readonly headers: StoreHeaders;
  /** Where memory for messages comes from; without it, it is new. */
  readonly pool?: BufferPool | undefined;
  /** Takes memory in slabs until a message is whole: whoever says so calls `body.clear` at the end. */
  readonly inSlabs?: boolean;
}

/** The body of a `WriteMessages` call → log messages, each with the bytes that `.rrd` has of it. */
export class WriteMessages implements Step<Uint8Array, LogMsg> {
  /** Cuts the body into requests; knows where in it the call is. */
  readonly body: GrpcBody;
  readonly #options: WriteMessagesOptions;
  readonly #limits: Required<DecodeLimits>;
  #isOver = false;

  /** @param options limits, and what calls share */
  constructor(options: WriteMessagesOptions) {
    this.#options = options;
    this.#limits = decodeLimits(options);
    const { maxMessageBytes } = this.#limits;
    // What stands around a log message makes room for what `.rrd` has before it, though not enough.
    this.body = new GrpcBody({ ...options, maxMessageBytes, headroom: HEAD_BYTES });
  }

  push(bytes: Uint8Array): StepResult<LogMsg> {
    if (this.#isOver) return { items: [] };
    const { items: requests, error } = this.body.push(bytes);
    const items: LogMsg[] = [];
    for (const request of requests) {
      try {
        items.push(this.#decode(request));
      } catch (invalid) {
        // What no peer can cause is a bug, which has to be seen with its stack.
        if (!(invalid instanceof RerelayError)) throw invalid;
        this.#isOver = true;
        return { items, error: invalid };
      }
    }
    return error === undefined ? { items } : { items, error };
  }

  finish(): StepResult<LogMsg> {
    const { error } = this.#isOver ? {} : this.body.finish();
    return error === undefined ? { items: [] } : { items: [], error };
  }

  #decode(request: Uint8Array): LogMsg {
    const { dialect, headers } = this.#options;
    const limits = this.#limits;
    const { kind, message } = dialect === "v0"
      ? unwrapLogMsg(request, limits)
      : unwrapRequest(request, limits);
    const { buffer, byteOffset, length } = message;
    const whole = new Uint8Array(buffer, byteOffset - HEAD_BYTES, HEAD_BYTES + length);
    writeHead(whole, 0, kind, length);
    // Whose header it has is known once it is decoded.
    const encoded: { header: RrdHeader; bytes: Uint8Array } = {
      header: headers.first[dialect],
      bytes: whole,
    };
    const msg = decodeProtobufLogMsg(kind, message, dialect, encoded, limits);
    encoded.header = headers.of(msg, dialect);
    return msg;
  }
}

interface Wrapped {
  readonly kind: number;
  readonly message: Uint8Array;
}

/** `{1: LogMsg}`: nearly always that one field is all there is, and nothing is made for it. */
function unwrapRequest(request: Uint8Array, limits: Required<DecodeLimits>): Wrapped {
  const at = onlyField(request);
  if (at !== undefined && request[0] === LOG_MSG_TAG) {
    return unwrapLogMsg(request.subarray(at), limits);
  }
  let logMsg: Uint8Array | undefined;
  readMessage(request, "WriteMessagesRequest", {
    1: bytes((value) => logMsg = value),
  }, new ProtobufBudget(limits));
  if (logMsg === undefined) throw new InvalidMessage("A WriteMessagesRequest has no log_msg");
  return unwrapLogMsg(logMsg, limits);
}

/** One of `{1: SetStoreInfo}`, `{2: ArrowMsg}`, `{3: BlueprintActivationCommand}`. */
function unwrapLogMsg(logMsg: Uint8Array, limits: Required<DecodeLimits>): Wrapped {
  const at = onlyField(logMsg);
  const kind = logMsg[0]! >> 3;
  if (at !== undefined && (logMsg[0]! & 7) === 2 && kind <= MAX_KIND) {
    return { kind, message: logMsg.subarray(at) };
  }
  let wrapped: Wrapped | undefined;
  const take = (kind: number) => bytes((message) => wrapped = { kind, message });
  const fields = Object.fromEntries(
    Array.from({ length: MAX_KIND }, (_, i) => [i + 1, take(i + 1)]),
  );
  readMessage(logMsg, "LogMsg", fields, new ProtobufBudget(limits));
  if (wrapped === undefined) throw new InvalidMessage("A LogMsg holds no message");
  return wrapped;
}

/** Where the value of a field begins that has a tag of one byte and reaches up to the end. */
function onlyField(bytes: Uint8Array): number | undefined {
  if (bytes.length < 2 || bytes[0]! < 8 || bytes[0]! > 0x7f) return undefined;
  let length = 0;
  for (let at = 1, scale = 1; at < 6; at++, scale *= 128) {
    const byte = bytes[at];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) * scale;
    if (byte < 0x80) return at + 1 + length === bytes.length ? at + 1 : undefined;
  }
  return undefined;
}
