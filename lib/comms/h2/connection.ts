/**
 * One HTTP/2 connection (RFC 9113) as a pure step: bytes in, bytes out; no sockets and no timers.
 *
 * @module
 */
import { reason as textOf } from "../../base/errors.ts";
import { Abuse } from "./abuse.ts";
import { ERROR, errorName, H2Error } from "./error_codes.ts";
import { requestFields } from "./field_rules.ts";
import { FrameReader } from "./frame_reader.ts";
import {
  bytesFrame,
  DEFAULT_WINDOW,
  FRAME,
  goAwayFrame,
  numbersFrame,
  PREFACE,
  settingsFrame,
} from "./frames.ts";
import { resolveH2Options, settingsOf } from "./h2_options.ts";
import { Incoming } from "./incoming.ts";
import { Liveness } from "./liveness.ts";
import { Outbox } from "./outbox.ts";
import type { Stream } from "./stream.ts";
import { StreamTable } from "./stream_table.ts";
import type { Field, H2Options, H2Peer, H2Role, H2Stream } from "./types.ts";

/** From so many bytes on it is worth reading directly into the memory of a body. */
const LEAST_ROOM = 64 * 1024;

/** While so many bytes of our answers to the peer's frames wait to be sent, it is not read. */
const CONGESTED_BYTES = 64 * 1024;

/** The largest number of a stream. */
const MAX_ID = 2 ** 31 - 1;

/**
 * One side of a connection: `push` what was read, write what `take` moves, say `wrote`, and call `tick`
 * every second or so.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { H2Connection } from "./connection.ts";
 *
 * const server = new H2Connection("server", {
 *   onStream: (stream) => stream.respond([[":status", "204"]], true),
 * });
 * const client = new H2Connection("client");
 * let status: string | undefined;
 * const headers = [[":method", "GET"], [":scheme", "http"], [":path", "/"]] as const;
 * client.request(headers, true)!.sink = {
 *   headers: (headers) => status = headers.get(":status"),
 *   data() {},
 *   end() {},
 *   gone() {},
 * };
 * const memory = new Uint8Array(65536);
 * server.push(memory.slice(0, client.take(memory)));
 * client.push(memory.slice(0, server.take(memory)));
 * assertEquals(status, "204");
 * ```
 */
export class H2Connection implements H2Peer {
  readonly #isClient: boolean;
  readonly #abuse: Abuse;
  readonly #outbox = new Outbox();
  readonly #table: StreamTable;
  readonly #incoming: Incoming;
  readonly #frames: FrameReader;
  readonly #liveness: Liveness;
  #isClosed = false;
  #isLeaving = false;
  #couldRequest = true;
  #cameBytes = 0;
  #error: Error | undefined;
  /** Called when there may be something to take, and when it is closed; it must not throw. */
  onWake: () => void = () => {};
  onReady: (() => void) | undefined;

  /**
   * @param role which side we are
   * @param options limits, deadlines, and for a server what takes its streams
   * @throws {RangeError} if an option is out of its range
   */
  constructor(role: H2Role, options: H2Options = {}) {
    const isClient = this.#isClient = role === "client";
    const resolved = resolveH2Options(isClient, options);
    const { onStream, now } = resolved;
    const abuse = this.#abuse = new Abuse(now);
    const outbox = this.#outbox;
    const wake = () => this.#wake();
    const table = this.#table = new StreamTable({ ...resolved, isClient, abuse, outbox, wake });
    this.#incoming = new Incoming({ ...resolved, onStream, isClient, table, outbox, abuse, wake });
    this.#frames = new FrameReader(this.#incoming, resolved, !isClient);
    this.#liveness = new Liveness(resolved);
    if (isClient) outbox.add(PREFACE);
    outbox.add(settingsFrame(settingsOf(isClient, resolved)));
    const more = resolved.connectionWindow - DEFAULT_WINDOW;
    if (more > 0) outbox.add(numbersFrame(FRAME.WINDOW_UPDATE, 0, more));
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get openStreams(): number {
    return this.#table.size;
  }

  get streams(): number {
    return this.#table.begun;
  }

  get error(): Error | undefined {
    return this.#error;
  }

  /** Bytes of memory taken for frames and header blocks that are not whole. */
  get partialBytes(): number {
    return this.#frames.partialBytes + this.#incoming.partialBytes;
  }

  /** Memory that the header fields of open streams take, in bytes. */
  get headerBytes(): number {
    return this.#table.headerBytes;
  }

  /** Bytes of all frames that came but for what DATA carries. */
  get frameBytes(): number {
    return this.#cameBytes - this.#incoming.dataBytes;
  }

  /**
   * Whether the peer does not take our answers to its frames, so that it should not be read
   * meanwhile.
   */
  get isCongested(): boolean {
    return this.#outbox.frameBytes > CONGESTED_BYTES;
  }

  /**
   * Whether a server has left without an error and waits until the client, which has read all then,
   * closes.
   */
  get lingers(): boolean {
    return this.#isClosed && this.#isLeaving && !this.#isClient && this.#error === undefined;
  }

  // ------------------------------------------------------------------------------------- input

  /** Where the next bytes may be read into, so that they need no copy; nothing: it is not worth it. */
  readInto(): Uint8Array<ArrayBuffer> | undefined {
    const most = this.#frames.dataLeft;
    return most < LEAST_ROOM ? undefined : this.#incoming.readInto(most);
  }

  /**
   * Takes the next bytes. What is wrong with them ends the connection: see `error`.
   *
   * @param chunk what was read, in `room` or elsewhere
   * @returns whether nobody needs it any more
   */
  push(chunk: Uint8Array): boolean {
    if (this.#isClosed) return true;
    this.#liveness.heard(chunk.length);
    this.#cameBytes += chunk.length;
    this.#incoming.isKept = false;
    this.#guard(() => this.#frames.push(chunk));
    if (this.#isClient) this.#guard(() => this.#news());
    return !this.#incoming.isKept;
  }

  /**
   * The peer sends no more, or the connection broke: all streams are gone.
   *
   * @param error how it broke
   */
  finish(error?: Error): void {
    const { goAway } = this.#incoming;
    let reason = error === undefined ? "the peer closed the connection" : textOf(error);
    if (goAway !== undefined && goAway.code !== ERROR.NO_ERROR) {
      reason = `the peer ended the connection: ${errorName(goAway.code)} ${goAway.text}`.trim();
      error ??= new H2Error(goAway.code, reason);
    }
    this.#close(ERROR.CANCEL, reason, error);
  }

  // ------------------------------------------------------------------------------------ output

  /** Says how many bytes are written at once, so that streams have as many ready. */
  set aheadBytes(bytes: number) {
    this.#outbox.aheadBytes = bytes;
  }

  /**
   * How many bytes `take` has to move now, approximately: if there is memory for so many, all of it. 0:
   * wait for `onWake`.
   */
  get sendableBytes(): number {
    return this.#outbox.sendableBytes;
  }

  /**
   * Moves what is to be written next to where it is written from, as far as the peer's windows allow.
   * To be called again once that is written.
   *
   * @param into where it goes: `sendableBytes`, or 8 KiB at least
   * @returns how many bytes were moved; none: wait for `onWake`
   */
  take(into: Uint8Array): number {
    const served = new Set<Stream>();
    const { bytes, data } = this.#outbox.take(into, served);
    if (data > 0) this.#abuse.sent(data);
    this.#guard(() => this.#closeEnded(served));
    return bytes;
  }

  /** Says that what was taken last was handed to the system: its memory may change. */
  wrote(): void {
    for (const done of this.#outbox.wrote()) this.#guard(done);
  }

  #closeEnded(served: ReadonlySet<Stream>): void {
    for (const stream of served) {
      this.#table.closeIfEnded(stream);
      if (!stream.isGone) stream.onRoom?.();
    }
    if (this.#isClient) this.#tellIfReady();
  }

  // ---------------------------------------------------------------------------------- requests

  get canRequest(): boolean {
    return this.#isClient && !this.#isClosed && !this.#isLeaving &&
      this.#incoming.goAway === undefined && this.#table.lastId + 2 <= MAX_ID &&
      this.#table.size < this.#incoming.maxRequests;
  }

  request(fields: readonly Field[], isEnd = false): H2Stream | undefined {
    const headers = requestFields(fields);
    if (headers === undefined) throw new Error("The request's header fields are malformed");
    if (!this.canRequest) {
      this.#couldRequest = false;
      return undefined;
    }
    const stream = this.#table.open(this.#table.lastId += 2, headers);
    this.#table.sendHeaders(stream, fields, isEnd);
    return stream;
  }

  /** Tells requests of what a push may have changed. */
  #news(): void {
    const { goAway } = this.#incoming;
    if (goAway !== undefined) {
      const reason = `the server left: ${errorName(goAway.code)} ${goAway.text}`.trim();
      this.#table.dropAll(ERROR.REFUSED_STREAM, reason, goAway.lastId + 1);
      this.#isLeaving = true;
      this.#wake();
    }
    this.#tellIfReady();
  }

  #tellIfReady(): void {
    const { canRequest } = this;
    if (canRequest && !this.#couldRequest) this.onReady?.();
    this.#couldRequest = canRequest;
  }

  // --------------------------------------------------------------------------------------- end

  leave(reason = ""): void {
    if (this.#isClosed || this.#isLeaving) return;
    this.#isLeaving = true;
    this.#incoming.leave();
    this.#goAway(ERROR.NO_ERROR, reason);
  }

  close(code: number, reason: string): void {
    this.#end(code, reason, reason, undefined);
  }

  /** Whether the peer was sent a PING and has said nothing since. */
  get isAsked(): boolean {
    return this.#liveness.isAsked;
  }

  /** The peer has taken something: it is there, and a PING is behind what it is still to take. */
  peerTook(): void {
    this.#liveness.heard(0);
  }

  /** Looks at the deadlines; to be called every second or so, with reading in between. */
  tick(): void {
    if (this.#isClosed) return;
    const todo = this.#liveness.look(this.#table.size, this.#table.begun);
    if (todo === "leave") this.leave("no streams");
    else if (todo === "ping") this.#send(bytesFrame(FRAME.PING, 0, 0, new Uint8Array(8)));
    else if (todo !== undefined) this.#end(ERROR.CANCEL, todo.message, todo.message, todo);
  }

  /** Called when there is something to send, and when a stream has ended: it may be the last. */
  #wake(): void {
    if (!this.#isLeaving || this.#table.size > 0) this.onWake();
    else this.#close(ERROR.NO_ERROR, "all streams have ended", undefined);
  }

  /** Runs something; an exception ends the connection, and nothing else. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (cause) {
      const error = cause instanceof H2Error
        ? cause
        : new H2Error(ERROR.INTERNAL_ERROR, textOf(cause), { cause });
      this.#end(error.code, error.what, error.message, error);
    }
  }

  /** Ends it, and tells the peer. */
  #end(code: number, text: string, reason: string, error: Error | undefined): void {
    if (this.#isClosed) return;
    this.#close(code, reason, error);
    this.#goAway(code, text);
  }

  #close(code: number, reason: string, error: Error | undefined): void {
    if (this.#isClosed) return this.onWake();
    this.#isClosed = true;
    this.#error = error;
    this.#frames.stop();
    // Again after an exception, so that each sink is told.
    while (this.#table.size > 0) this.#guard(() => this.#table.dropAll(code, reason));
    this.onWake();
  }

  #goAway(code: number, text: string): void {
    const lastId = this.#isClient ? 0 : this.#table.lastId;
    this.#send(goAwayFrame(lastId, code, text));
  }

  #send(frame: Uint8Array): void {
    this.#outbox.add(frame);
    this.#wake();
  }
}
