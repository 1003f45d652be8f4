import type { Abuse } from "./abuse.ts";
import { ERROR, errorName, H2Error } from "./error_codes.ts";
import {
  checkWindow,
  DEFAULT_WINDOW,
  FRAME,
  headersFrames,
  MAX_WINDOW,
  numbersFrame,
} from "./frames.ts";
import { encodeFields } from "./hpack.ts";
import type { Outbox } from "./outbox.ts";
import { ReceiveWindow } from "./receive_window.ts";
import { ResetStreams } from "./reset_streams.ts";
import { Stream, type StreamHost } from "./stream.ts";
import type { Field, FieldMap } from "./types.ts";

/** What a table needs. */
export interface StreamTableOptions {
  readonly isClient: boolean;
  readonly streamWindow: number;
  readonly initialWindow: number;
  readonly connectionWindow: number;
  readonly maxStreams: number;
  readonly abuse: Abuse;
  readonly outbox: Outbox;
  /** Called when there is something to send, or a stream has ended. */
  wake(): void;
}

/** The streams of one connection, their windows, and how they end. */
export class StreamTable implements StreamHost {
  readonly #options: StreamTableOptions;
  readonly #window: ReceiveWindow;
  readonly #open = new Map<number, Stream>();
  readonly resets: ResetStreams;
  /** The window of a new stream for what we send. */
  #sendWindow = DEFAULT_WINDOW;
  #hasSentBlock = false;
  /** Whether the peer knows our settings, and so how much it may send in a new stream. */
  #isKnown = false;
  /** Memory that the header fields of open streams take, in bytes. */
  headerBytes = 0;
  /** Number of the last stream that was begun. */
  lastId: number;
  begun = 0;

  /** @param options limits, and where frames go */
  constructor(options: StreamTableOptions) {
    this.#options = options;
    this.#window = new ReceiveWindow(options.connectionWindow);
    this.resets = new ResetStreams(2 * options.maxStreams);
    this.lastId = options.isClient ? -1 : 0;
  }

  /** How many streams are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Gives an open stream. */
  get(id: number): Stream | undefined {
    return this.#open.get(id);
  }

  /** Whether a stream was never begun. */
  isIdle(id: number): boolean {
    return id > this.lastId || id % 2 === 0;
  }

  /** Opens a stream, whose number is above all before. */
  open(id: number, headers: FieldMap): Stream {
    const { initialWindow, isClient: isOurs } = this.#options;
    const receiveWindow = new ReceiveWindow(initialWindow);
    const sendWindow = this.#sendWindow;
    const stream = new Stream(this, { id, headers, receiveWindow, sendWindow, isOurs });
    this.#open.set(id, stream);
    this.headerBytes += stream.headerBytes;
    this.begun++;
    return stream;
  }

  /** Says that the peer has acknowledged our settings: what it sent before has come. */
  settingsKnown(): void {
    this.#isKnown = true;
  }

  /**
   * How many bytes more may come because the peer, before it knew our settings, assumed a larger
   * window (RFC 9113, 6.9.3).
   */
  get #beyond(): number {
    return this.#isKnown ? 0 : Math.max(0, DEFAULT_WINDOW - this.#options.initialWindow);
  }

  // ------------------------------------------------------------------------- what a stream asks

  get aheadBytes(): number {
    return this.#options.outbox.aheadBytes;
  }

  ready(stream: Stream): void {
    if (!stream.isReady) return;
    this.#options.outbox.ready(stream);
    this.#options.wake();
  }

  sendHeaders(stream: Stream, fields: readonly Field[], isEnd: boolean): void {
    const { outbox } = this.#options;
    const block = encodeFields(fields, !this.#hasSentBlock);
    this.#hasSentBlock = true;
    for (const frame of headersFrames(stream.id, block, isEnd, outbox.maxFrameBytes)) {
      outbox.add(frame);
    }
    stream.isEndedByUs = isEnd;
    this.closeIfEnded(stream);
    this.#options.wake();
  }

  cancel(stream: Stream, code: number): void {
    if (!this.#open.has(stream.id)) return;
    this.#sendReset(stream.id, code, stream.receiveWindow.left);
    this.drop(stream, code, "ended by this side");
  }

  consume(stream: Stream, bytes: number): void {
    // All bytes of a stream that is gone were given back already.
    const count = Math.min(bytes, stream.heldBytes);
    stream.heldBytes -= count;
    this.credit(count);
    if (stream.isEndedByPeer || stream.isGone) return;
    this.#tell(stream.id, stream.receiveWindow.consume(count));
  }

  widen(stream: Stream): void {
    if (stream.isEndedByPeer || stream.isGone) return;
    this.#tell(stream.id, stream.receiveWindow.grow(this.#options.streamWindow));
  }

  // ------------------------------------------------------------------------------ what comes in

  /**
   * Takes note that a DATA frame begins.
   *
   * @param length of the frame's payload
   * @param padding how much of it is not part of the body, and counts as consumed
   * @returns the stream that takes it; `undefined` if it is ignored
   * @throws {H2Error} if it may not come
   */
  beginData(id: number, length: number, padding: number): Stream | undefined {
    const stream = this.#open.get(id);
    if (!this.#window.take(length)) {
      throw new H2Error(ERROR.FLOW_CONTROL_ERROR, "DATA beyond the connection's window");
    }
    if (stream === undefined) {
      if (this.isIdle(id)) {
        throw new H2Error(ERROR.PROTOCOL_ERROR, "DATA on a stream that was not opened");
      }
      this.resets.data(id, length, this.#beyond);
      this.credit(padding);
      return undefined;
    }
    stream.heldBytes += padding;
    const isAllowed = stream.receiveWindow.take(length, this.#beyond);
    if (stream.isEndedByPeer) this.reset(stream, ERROR.STREAM_CLOSED, "DATA behind its end");
    else if (!isAllowed) this.reset(stream, ERROR.FLOW_CONTROL_ERROR, "DATA beyond its window");
    else if (stream.isOurs && !stream.hasAnswer) {
      this.reset(stream, ERROR.PROTOCOL_ERROR, "DATA before the answer's header fields");
    }
    if (stream.isGone) return undefined;
    this.consume(stream, padding);
    return stream;
  }

  /**
   * Takes note that the peer has ended a stream.
   *
   * @param trailers that came
   */
  endByPeer(stream: Stream, trailers: FieldMap): void {
    if (stream.isGone) return;
    if (!stream.isWhole) {
      return this.reset(stream, ERROR.PROTOCOL_ERROR, "a body shorter than its content-length");
    }
    stream.isEndedByPeer = true;
    stream.sink?.end(trailers);
    this.closeIfEnded(stream);
  }

  /**
   * Takes note that the peer lets us send more.
   *
   * @param id of the stream; 0 is the connection
   * @param more bytes
   * @throws {H2Error} if that breaks the protocol
   */
  update(id: number, more: number): void {
    const { outbox } = this.#options;
    if (id === 0) {
      if (more === 0) throw new H2Error(ERROR.PROTOCOL_ERROR, "WINDOW_UPDATE by 0");
      checkWindow(outbox.sendWindow += more);
      if (outbox.hasReady) this.#options.wake();
      return;
    }
    const stream = this.#open.get(id);
    if (stream === undefined) {
      if (!this.isIdle(id)) return;
      throw new H2Error(ERROR.PROTOCOL_ERROR, "WINDOW_UPDATE on a stream that was not opened");
    }
    stream.sendWindow += more;
    if (more === 0) this.reset(stream, ERROR.PROTOCOL_ERROR, "WINDOW_UPDATE by 0");
    else if (stream.sendWindow > MAX_WINDOW) {
      this.reset(stream, ERROR.FLOW_CONTROL_ERROR, "a window over 2^31 - 1 bytes");
    } else this.ready(stream);
  }

  /**
   * Takes note of the peer's window for new streams, which changes those of open streams as well.
   *
   * @throws {H2Error} if a window becomes too large
   */
  setSendWindow(bytes: number): void {
    checkWindow(bytes);
    const more = bytes - this.#sendWindow;
    this.#sendWindow = bytes;
    for (const stream of this.#open.values()) {
      checkWindow(stream.sendWindow += more);
      this.ready(stream);
    }
  }

  // ------------------------------------------------------------------------------- how they end

  /**
   * Resets a stream for what the peer did.
   *
   * @throws {H2Error} if the peer has had us reset too many: they cost it as if it had reset them
   */
  reset(stream: Stream, code: number, reason: string): void {
    if (!this.#open.has(stream.id)) return;
    this.refuse(stream.id, code, stream.receiveWindow.left);
    this.drop(stream, code, reason);
  }

  /**
   * Resets a stream that is in no table.
   *
   * @param left bytes that the peer may still send of it
   * @throws {H2Error} as `reset` does
   */
  refuse(id: number, code: number, left = this.#options.initialWindow): void {
    this.#options.abuse.resets.spend(`streams that had to be reset (${errorName(code)})`);
    this.#sendReset(id, code, left);
  }

  /**
   * Closes a stream if both sides have ended it, or if we have answered before the request's end.
   */
  closeIfEnded(stream: Stream): void {
    if (!stream.isEndedByUs || stream.isGone) return;
    if (stream.isEndedByPeer) {
      this.#forget(stream);
      this.#options.abuse.endedWell(stream.headerBytes);
      // Bytes that nobody has consumed must not take room in the connection's window any more.
      this.credit(stream.heldBytes);
      stream.heldBytes = 0;
    } else if (!this.#options.isClient) {
      // The rest of the request is not wanted.
      this.#sendReset(stream.id, ERROR.NO_ERROR, stream.receiveWindow.left);
      this.drop(stream);
    }
  }

  /**
   * Removes a stream that is over.
   *
   * @param code error code that its sink is told, with a reason in words; left out, the sink is not
   * told
   */
  drop(stream: Stream, code?: number, reason = ""): void {
    if (stream.isGone) return;
    stream.isGone = true;
    this.#forget(stream);
    this.credit(stream.heldBytes);
    stream.heldBytes = 0;
    try {
      if (code !== undefined) stream.sink?.gone(code, reason);
    } finally {
      // Even if one callback throws, the others are called.
      try {
        stream.onRoom?.();
      } finally {
        for (const done of this.#options.outbox.done()) done();
      }
    }
  }

  /** Drops all streams, or those from a number on. */
  dropAll(code: number, reason: string, from = 0): void {
    for (const stream of [...this.#open.values()]) {
      if (stream.id >= from) this.drop(stream, code, reason);
    }
  }

  /** Counts bytes as consumed that no stream holds. */
  credit(bytes: number): void {
    this.#tell(0, this.#window.consume(bytes));
  }

  #sendReset(id: number, code: number, left: number): void {
    this.resets.add(id, left);
    this.#options.outbox.add(numbersFrame(FRAME.RST_STREAM, id, code));
    this.#options.wake();
  }

  #forget(stream: Stream): void {
    if (this.#open.delete(stream.id)) this.headerBytes -= stream.headerBytes;
    this.#options.outbox.drop(stream);
    this.#options.wake();
  }

  #tell(id: number, more: number): void {
    if (more === 0) return;
    this.#options.outbox.add(numbersFrame(FRAME.WINDOW_UPDATE, id, more));
    this.#options.wake();
  }
}
