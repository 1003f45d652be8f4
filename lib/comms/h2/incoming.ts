import type { Abuse } from "./abuse.ts";
import { ERROR, errorName, H2Error } from "./error_codes.ts";
import type { FrameHandler } from "./frame_reader.ts";
import { bytesFrame, FLAG, FRAME, SETTING, u31, u32 } from "./frames.ts";
import { DEFAULT_FRAME_BYTES, MAX_FRAME_BYTES } from "./frames.ts";
import { HeaderBlocks } from "./header_block.ts";
import { HeaderReader, type HeaderReaderOptions } from "./header_reader.ts";
import type { Outbox } from "./outbox.ts";
import type { Stream } from "./stream.ts";
import type { StreamTable } from "./stream_table.ts";
import { plural } from "../../base/plural.ts";

/** What {@linkcode Incoming} needs. */
export interface IncomingOptions extends HeaderReaderOptions {
  readonly outbox: Outbox;
  readonly abuse: Abuse;
  /** Called when there is something to send. */
  wake(): void;
}

/** What the peer said when it left. */
export interface GoAway {
  /** It has ignored streams beyond this one. */
  readonly lastId: number;
  readonly code: number;
  readonly text: string;
}

const NOTHING: Uint8Array = new Uint8Array(0);

/** Acts on each frame that comes. */
export class Incoming implements FrameHandler {
  readonly #options: IncomingOptions;
  readonly #table: StreamTable;
  readonly #abuse: Abuse;
  readonly #blocks: HeaderBlocks;
  readonly #headers: HeaderReader;
  #dataStream: Stream | undefined;
  /** Whether somebody keeps bytes of a body that came since this was set to `false`. */
  isKept = false;
  /** How many streams the peer lets us have open at once. */
  maxRequests = Infinity;
  goAway: GoAway | undefined;
  /** Bytes that DATA frames carried. */
  dataBytes = 0;

  /** @param options what it acts upon */
  constructor(options: IncomingOptions) {
    this.#options = options;
    this.#table = options.table;
    this.#abuse = options.abuse;
    this.#blocks = new HeaderBlocks(options.maxHeaderBytes);
    this.#headers = new HeaderReader(options);
  }

  /** Bytes that came of a header block that is not whole. */
  get partialBytes(): number {
    return this.#blocks.partialBytes;
  }

  /** Refuses new streams of the peer from now on. */
  leave(): void {
    this.#headers.isLeaving = true;
  }

  /** Where the next bytes of a body may be read into, if so many are sure to come. */
  readInto(most: number): Uint8Array<ArrayBuffer> | undefined {
    const stream = this.#dataStream;
    return stream === undefined || stream.isGone ? undefined : stream.sink?.readInto?.(most);
  }

  // -------------------------------------------------------------------------------------- DATA

  beginData(flags: number, id: number, length: number, padding: number): void {
    if (id === 0) {
      throw new H2Error(ERROR.PROTOCOL_ERROR, "DATA on stream 0, which is the connection itself");
    }
    this.#abuse.data(length - padding, (flags & FLAG.END_STREAM) !== 0);
    this.#dataStream = this.#table.beginData(id, length, padding);
  }

  data(bytes: Uint8Array): void {
    this.dataBytes += bytes.length;
    const stream = this.#dataStream;
    if (stream === undefined || stream.isGone) return this.#table.credit(bytes.length);
    stream.heldBytes += bytes.length;
    if (!stream.came(bytes.length)) {
      return this.#table.reset(stream, ERROR.PROTOCOL_ERROR, "a body over its content-length");
    }
    if (stream.sink === undefined) stream.consume(bytes.length);
    else if (stream.sink.data(bytes) !== false) this.isKept = true;
  }

  endData(flags: number): void {
    const stream = this.#dataStream;
    this.#dataStream = undefined;
    if (stream !== undefined && flags & FLAG.END_STREAM) this.#table.endByPeer(stream, new Map());
  }

  // ------------------------------------------------------------------------------ other frames

  head(type: number, _flags: number, id: number): void {
    this.#blocks.check(type, id);
    if (type > FRAME.CONTINUATION) this.#abuse.control.spend("unknown frames");
  }

  frame(type: number, flags: number, id: number, payload: Uint8Array): void {
    switch (type) {
      case FRAME.HEADERS:
        return this.#headersFrame(flags, id, payload);
      case FRAME.CONTINUATION: {
        const block = this.#blocks.continuation(flags, payload);
        if (block !== undefined) this.#headers.push(block);
        return;
      }
      case FRAME.PRIORITY:
        return this.#priority(id, payload);
      case FRAME.RST_STREAM:
        return this.#rstStream(id, payload);
      case FRAME.WINDOW_UPDATE:
        checkLength(payload, 4, "WINDOW_UPDATE");
        this.#abuse.update();
        return this.#table.update(id, u31(payload, 0));
    }
    if (id !== 0) throw new H2Error(ERROR.PROTOCOL_ERROR, `a frame of type ${type} in a stream`);
    if (type === FRAME.SETTINGS) this.#settings(flags, payload);
    else if (type === FRAME.PING) this.#ping(flags, payload);
    else if (type === FRAME.GOAWAY) this.#goAwayFrame(payload);
  }

  #headersFrame(flags: number, id: number, payload: Uint8Array): void {
    if (id % 2 === 0) {
      throw new H2Error(
        ERROR.PROTOCOL_ERROR,
        "HEADERS on a stream of an even number, which clients may not open",
      );
    }
    const block = this.#blocks.headers(flags, id, payload);
    if (block !== undefined) this.#headers.push(block);
  }

  /** Priorities are ignored, but must be well-formed. */
  #priority(id: number, payload: Uint8Array): void {
    if (id === 0) {
      throw new H2Error(
        ERROR.PROTOCOL_ERROR,
        "PRIORITY on stream 0, which is the connection itself",
      );
    }
    this.#abuse.control.spend("PRIORITY frames");
    const code = payload.length !== 5
      ? ERROR.FRAME_SIZE_ERROR
      : u31(payload, 0) === id
      ? ERROR.PROTOCOL_ERROR
      : undefined;
    if (code === undefined) return;
    const stream = this.#table.get(id);
    if (stream !== undefined) return this.#table.reset(stream, code, "PRIORITY is malformed");
    // A stream that was never begun, or is over, can't be reset, so this ends the connection, and a
    // frame of a wrong length always does.
    if (this.#table.isIdle(id) || code === ERROR.FRAME_SIZE_ERROR) {
      throw new H2Error(code, "PRIORITY is malformed");
    }
  }

  #rstStream(id: number, payload: Uint8Array): void {
    checkLength(payload, 4, "RST_STREAM");
    if (id === 0 || this.#table.isIdle(id)) {
      throw new H2Error(ERROR.PROTOCOL_ERROR, "RST_STREAM of no stream");
    }
    this.#abuse.resets.spend("resets");
    const stream = this.#table.get(id);
    if (stream === undefined) return;
    const code = u32(payload, 0);
    // A server that has answered completely may refuse the rest of the request this way.
    const isAnswered = stream.isOurs && stream.isEndedByPeer && code === ERROR.NO_ERROR;
    this.#table.drop(
      stream,
      isAnswered ? undefined : code,
      `reset by the peer (${errorName(code)})`,
    );
  }

  #settings(flags: number, payload: Uint8Array): void {
    const isAck = (flags & FLAG.ACK) !== 0;
    if (payload.length % 6 !== 0 || isAck && payload.length > 0) {
      throw new H2Error(ERROR.FRAME_SIZE_ERROR, `SETTINGS of ${plural(payload.length, "byte")}`);
    }
    this.#abuse.control.spend("SETTINGS frames");
    if (isAck) return this.#table.settingsKnown();
    for (let at = 0; at < payload.length; at += 6) {
      this.#setting(payload[at]! << 8 | payload[at + 1]!, u32(payload, at + 2));
    }
    this.#send(bytesFrame(FRAME.SETTINGS, FLAG.ACK, 0, NOTHING));
  }

  #setting(name: number, value: number): void {
    const { isClient, outbox } = this.#options;
    switch (name) {
      case SETTING.ENABLE_PUSH:
        // Only a client may ask to be pushed to.
        if (value <= (isClient ? 0 : 1)) return;
        throw new H2Error(ERROR.PROTOCOL_ERROR, `ENABLE_PUSH of ${value}`);
      case SETTING.MAX_CONCURRENT_STREAMS:
        this.maxRequests = value;
        return;
      case SETTING.INITIAL_WINDOW_SIZE:
        return this.#table.setSendWindow(value);
      case SETTING.MAX_FRAME_SIZE:
        if (value < DEFAULT_FRAME_BYTES || value > MAX_FRAME_BYTES) {
          throw new H2Error(ERROR.PROTOCOL_ERROR, `MAX_FRAME_SIZE of ${value}`);
        }
        outbox.maxFrameBytes = value;
    }
  }

  #ping(flags: number, payload: Uint8Array): void {
    checkLength(payload, 8, "PING");
    this.#abuse.control.spend("PING frames");
    if (!(flags & FLAG.ACK)) this.#send(bytesFrame(FRAME.PING, FLAG.ACK, 0, payload));
  }

  #goAwayFrame(payload: Uint8Array): void {
    if (payload.length < 8) throw new H2Error(ERROR.FRAME_SIZE_ERROR, "GOAWAY is cut off");
    this.#abuse.control.spend("GOAWAY frames");
    const text = new TextDecoder().decode(payload.subarray(8));
    this.goAway = { lastId: u31(payload, 0), code: u32(payload, 4), text };
  }

  #send(frame: Uint8Array): void {
    this.#options.outbox.add(frame);
    this.#options.wake();
  }
}

function checkLength(payload: Uint8Array, length: number, what: string): void {
  if (payload.length === length) return;
  throw new H2Error(ERROR.FRAME_SIZE_ERROR, `${what} of ${plural(payload.length, "byte")}`);
}
