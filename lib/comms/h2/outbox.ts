import {
  DEFAULT_FRAME_BYTES,
  DEFAULT_WINDOW,
  FLAG,
  FRAME,
  frameHead,
  HEAD_BYTES,
  headersFrames,
  writeFrameHead,
} from "./frames.ts";
import { encodeFields } from "./hpack.ts";
import type { Stream } from "./stream.ts";

/** Bytes that are sent of one stream before it is the next one's turn. */
const TURN_BYTES = 64 * 1024;

/** Heads of so many frames stand in one piece of memory: each by itself would be garbage of its own. */
const HEADS = 32;

const NOBODY: readonly (() => void)[] = [];

/** What is to be sent: control frames at once, bodies as far as the peer's windows allow. */
export class Outbox {
  /** Bytes that the peer lets us send in all streams together. */
  sendWindow: number = DEFAULT_WINDOW;
  /** The longest frame that the peer takes. */
  maxFrameBytes: number = DEFAULT_FRAME_BYTES;
  #frames: Uint8Array[] = [];
  #frameBytes = 0;
  #ready = new Set<Stream>();
  #done: (() => void)[] = [];
  #isWriting = false;
  /** Where the next heads go, and how much of it is used. */
  #heads: Uint8Array | undefined;
  #headsUsed = 0;

  /** Bytes of control frames that wait. */
  get frameBytes(): number {
    return this.#frameBytes;
  }

  /** Whether streams wait to send. */
  get hasReady(): boolean {
    return this.#ready.size > 0;
  }

  /** Adds a frame, which goes out before any bodies. */
  add(frame: Uint8Array): void {
    this.#frames.push(frame);
    this.#frameBytes += frame.length;
  }

  /** Says that a stream has something to send. */
  ready(stream: Stream): void {
    this.#ready.add(stream);
  }

  /** Drops what a stream that is gone had to send. */
  drop(stream: Stream): void {
    this.#ready.delete(stream);
    stream.queue.clear(this.#done);
  }

  /**
   * Takes what is to be written next.
   *
   * @param most bytes, about
   * @param served gets the streams of which bytes or the end are among it
   * @returns how many DATA frames are among it, and all pieces in their order
   */
  take(most: number, served: Set<Stream>): { readonly parts: Uint8Array[]; readonly data: number } {
    const parts = this.#frames;
    let bytes = this.#frameBytes;
    this.#frames = [];
    this.#frameBytes = 0;
    let data = 0;
    for (let goesOn = true; goesOn && bytes < most;) {
      goesOn = false;
      for (const stream of [...this.#ready]) {
        if (bytes >= most) break;
        this.#ready.delete(stream);
        const before = parts.length;
        const sent = this.#send(stream, Math.min(TURN_BYTES, most - bytes), parts);
        bytes += sent.bytes;
        data += sent.frames;
        if (parts.length > before) served.add(stream);
        // It goes on at the end of the queue; one whose own window is used up comes back when that
        // is raised.
        if (!stream.isReady) continue;
        if (stream.sendWindow <= 0 && stream.queue.bytes > 0) continue;
        this.#ready.add(stream);
        goesOn ||= sent.bytes > 0;
      }
    }
    this.#isWriting = parts.length > 0;
    // It may be long until there is more.
    this.#heads = undefined;
    return { parts, data };
  }

  /**
   * Says that what was taken last is written: its memory may change.
   *
   * @returns the callbacks to call
   */
  wrote(): readonly (() => void)[] {
    this.#isWriting = false;
    return this.done();
  }

  /** The callbacks of those whose memory may change now; none while something is being written. */
  done(): readonly (() => void)[] {
    if (this.#isWriting || this.#done.length === 0) return NOBODY;
    const done = this.#done;
    this.#done = [];
    return done;
  }

  #send(
    stream: Stream,
    most: number,
    out: Uint8Array[],
  ): { readonly bytes: number; readonly frames: number } {
    let bytes = 0;
    let frames = 0;
    const { queue, trailers } = stream;
    while (queue.bytes > 0 && bytes < most) {
      const windows = Math.min(this.sendWindow, stream.sendWindow);
      const length = Math.min(queue.bytes, windows, this.maxFrameBytes, most - bytes);
      if (length <= 0) return { bytes, frames };
      const isEnd = length === queue.bytes && trailers?.length === 0;
      out.push(this.#dataHead(length, isEnd ? FLAG.END_STREAM : 0, stream.id));
      queue.take(length, out, this.#done);
      this.sendWindow -= length;
      stream.sendWindow -= length;
      bytes += length;
      frames++;
      stream.isEndedByUs = isEnd;
    }
    if (queue.bytes > 0 || trailers === undefined || stream.isEndedByUs) return { bytes, frames };
    stream.isEndedByUs = true;
    if (trailers.length === 0) out.push(frameHead(0, FRAME.DATA, FLAG.END_STREAM, stream.id));
    else out.push(...headersFrames(stream.id, encodeFields(trailers), true, this.maxFrameBytes));
    return { bytes, frames };
  }

  #dataHead(length: number, flags: number, id: number): Uint8Array {
    if (this.#heads === undefined || this.#headsUsed === HEADS * HEAD_BYTES) {
      this.#heads = new Uint8Array(HEADS * HEAD_BYTES);
      this.#headsUsed = 0;
    }
    const at = this.#headsUsed;
    writeFrameHead(this.#heads, at, length, FRAME.DATA, flags, id);
    this.#headsUsed += HEAD_BYTES;
    return this.#heads.subarray(at, this.#headsUsed);
  }
}
