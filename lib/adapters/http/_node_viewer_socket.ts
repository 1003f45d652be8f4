/**
 * A WebSocket over a socket of `node:http`.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { MAX_HEAD_BYTES, OPCODE, writeFrameHead } from "../../comms/websocket/frame_head.ts";
import { type HandOver, handOverOf } from "./_hand_over.ts";
import { type ClientFrames, closeFrame } from "../../comms/websocket/client_frames.ts";
import type { ViewerSocket } from "./types.ts";

/** Bytes of small messages that are gathered and written together. */
const GATHERED_BYTES = 64 * 1024;

/** From here on copying costs more than a write of its own. */
const DIRECT_BYTES = 16 * 1024;

/** How long a peer may take to close, in milliseconds. */
const CLOSE_MS = 1000;

/** How many unused buffers are kept. */
const MAX_FREE = 128;

/**
 * Buffers that were written and may be used again: with fifty viewers, new ones for each message
 * would be much garbage.
 */
export type FreeBuffers = Uint8Array[];

/** A piece of memory to be written. */
interface Chunk {
  readonly bytes: Uint8Array;
  /** Called when the system has taken all of its bytes. */
  readonly written: (() => void) | undefined;
}

/** Sends messages over a socket that was upgraded. */
export class NodeViewerSocket implements ViewerSocket {
  readonly closed: Promise<void>;
  readonly #socket: Duplex;
  readonly #frames: ClientFrames;
  readonly #handOver: HandOver;
  readonly #answered: Promise<void>;
  readonly #free: FreeBuffers;
  #gathered: Uint8Array | undefined;
  #used = 0;
  #queue: Chunk[] = [];
  #isWriting = false;
  /** Bytes that wait in the queue. */
  #waiting = 0;
  #sent = 0;
  #closing = false;
  #progress: PromiseWithResolvers<void> | undefined;
  /**
   * The callbacks of `sendFrames` whose bytes are not written yet; all are called when the socket
   * closes.
   */
  readonly #unfinished = new Set<() => void>();

  /**
   * Takes over a socket.
   *
   * @param socket on which the answer that accepts the WebSocket was written
   * @param answered when that answer is written
   * @param frames reads what the client sends
   * @param head bytes that came behind the request's headers
   * @param free buffers that all viewers of its listener share
   */
  constructor(
    socket: Duplex,
    answered: Promise<void>,
    frames: ClientFrames,
    head: Uint8Array,
    free: FreeBuffers,
  ) {
    this.#socket = socket;
    this.#free = free;
    this.#handOver = handOverOf(socket);
    this.#answered = answered;
    this.#frames = frames;
    this.closed = new Promise((resolve) => socket.once("close", resolve));
    this.closed.then(() => {
      this.#closing = true;
      this.#queue = [];
      this.#waiting = 0;
      for (const done of this.#unfinished) this.#finish(done);
      this.#advance();
    });
    socket.on("error", () => socket.destroy());
    socket.on("end", () => socket.destroy());
    socket.on("data", (bytes: Uint8Array) => this.#receive(bytes));
    if (head.length > 0) this.#receive(head);
  }

  get bufferedBytes(): number {
    return this.#waiting + this.#used;
  }

  get sentBytes(): number {
    return this.#sent;
  }

  send(bytes: Uint8Array): void {
    if (this.#closing) return;
    this.#gatherHead(OPCODE.binary, bytes.length);
    if (bytes.length < DIRECT_BYTES) return this.#gather(bytes);
    this.#flush();
    this.#write(bytes);
  }

  sendFrames(pieces: readonly Uint8Array[], done: () => void): void {
    if (this.#closing || this.#socket.destroyed) return done();
    this.#flush();
    this.#unfinished.add(done);
    const last = pieces.length - 1;
    for (const [i, bytes] of pieces.entries()) {
      this.#write(bytes, i === last ? () => this.#finish(done) : undefined);
    }
  }

  progress(): Promise<void> {
    if (this.bufferedBytes === 0 || this.#socket.destroyed) return Promise.resolve();
    this.#progress ??= Promise.withResolvers();
    return this.#progress.promise;
  }

  close(code: number, reason: string): void {
    if (this.#closing) return;
    this.#gather(closeFrame(code, reason));
    this.#flush();
    // The socket is ended once all that waits is written.
    this.#closing = true;
    const timer = setTimeout(() => this.#socket.destroy(), CLOSE_MS);
    this.closed.then(() => clearTimeout(timer));
  }

  #gatherHead(opcode: number, length: number): void {
    this.#used = writeFrameHead(this.#reserve(MAX_HEAD_BYTES), this.#used, opcode, length);
  }

  #gather(bytes: Uint8Array): void {
    this.#reserve(bytes.length).set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** The buffer in which small messages are gathered, with room for so many bytes. */
  #reserve(bytes: number): Uint8Array {
    if (this.#used + bytes > GATHERED_BYTES) this.#flush();
    if (this.#gathered === undefined) {
      this.#gathered = this.#free.pop() ?? new Uint8Array(GATHERED_BYTES);
      // Written at the end of this turn of the event loop, with what else is sent in it.
      queueMicrotask(() => this.#flush());
    }
    return this.#gathered;
  }

  #flush(): void {
    const buffer = this.#gathered;
    if (buffer === undefined) return;
    const bytes = buffer.subarray(0, this.#used);
    this.#gathered = undefined;
    this.#used = 0;
    this.#write(bytes, () => {
      if (this.#free.length < MAX_FREE) this.#free.push(buffer);
    });
  }

  #write(bytes: Uint8Array, written?: () => void): void {
    if (this.#closing || this.#socket.destroyed) return;
    this.#waiting += bytes.length;
    this.#queue.push({ bytes, written });
    if (!this.#isWriting) void this.#writeAll();
  }

  /** Writes what waits in the queue, and what is added meanwhile. */
  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    try {
      await this.#answered;
      while (this.#queue.length > 0) {
        const { bytes, written } = this.#queue[0]!;
        for (let at = 0; at < bytes.length;) {
          await this.#handOver(bytes.subarray(at), (count) => {
            if (this.#socket.destroyed) return;
            at += count;
            this.#waiting -= count;
            this.#sent += count;
            this.#advance();
          });
          if (this.#socket.destroyed) return; // `closed` tells its owner
        }
        this.#queue.shift();
        written?.();
      }
      if (this.#closing) this.#socket.end();
    } catch {
      this.#socket.destroy();
    } finally {
      this.#isWriting = false;
    }
  }

  #finish(done: () => void): void {
    if (this.#unfinished.delete(done)) done();
  }

  #advance(): void {
    this.#progress?.resolve();
    this.#progress = undefined;
  }

  #receive(bytes: Uint8Array): void {
    const { items, error } = this.#frames.push(bytes);
    for (const { opcode, payload } of items) {
      if (opcode === OPCODE.close) {
        if (this.#closing) this.#socket.destroy();
        else this.close(payload.length < 2 ? 1000 : payload[0]! << 8 | payload[1]!, "");
      } else if (opcode === OPCODE.ping && this.bufferedBytes < GATHERED_BYTES && !this.#closing) {
        // A client that pings and does not read gets no answer, and costs no memory.
        this.#gatherHead(OPCODE.pong, payload.length);
        this.#gather(payload);
      }
    }
    if (error !== undefined) this.close(error, "A viewer sends nothing but control frames");
  }
}
