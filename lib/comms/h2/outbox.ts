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

/** A DATA frame that is cut only because of where memory ends has so many bytes at least. */
const LEAST_FRAME_BYTES = 4 * 1024;

/** What the trailers of an answer take, in bytes, about; those that take more go out with the next write. */
const TRAILERS_BYTES = 256;

const NOBODY: readonly (() => void)[] = [];

/** What is to be sent: control frames at once, bodies as far as the peer's windows allow. */
export class Outbox {
  /** Bytes that the peer lets us send in all streams together. */
  sendWindow: number = DEFAULT_WINDOW;
  /** The longest frame that the peer takes. */
  maxFrameBytes: number = DEFAULT_FRAME_BYTES;
  /** Bytes that are written at once. */
  aheadBytes: number = TURN_BYTES;
  #frames: Uint8Array[] = [];
  #frameBytes = 0;
  /** How much of the first frame was moved already. */
  #frameAt = 0;
  #ready = new Set<Stream>();
  #done: (() => void)[] = [];
  #isWriting = false;

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

  /** How much memory what is to be written next takes, in bytes: at least as much, and 0 for nothing. */
  get sendableBytes(): number {
    let bytes = this.#frameBytes;
    for (const { queue, sendWindow, trailers } of this.#ready) {
      const data = Math.max(0, Math.min(queue.bytes, sendWindow, this.sendWindow));
      const frames = Math.ceil(data / this.maxFrameBytes) + Math.ceil(data / TURN_BYTES);
      bytes += data + HEAD_BYTES * frames;
      if (trailers !== undefined && data === queue.bytes) bytes += TRAILERS_BYTES;
    }
    return bytes;
  }

  /**
   * Moves what is to be written next to where it is written from.
   *
   * @param into where it goes: `sendableBytes`, or 8 KiB at least
   * @param served gets the streams of which bytes or the end are among it
   * @returns how many bytes were moved, and how many DATA frames are among them
   */
  take(into: Uint8Array, served: Set<Stream>): { readonly bytes: number; readonly data: number } {
    let at = this.#moveFrames(into, 0);
    let data = 0;
    for (let goesOn = true; goesOn && this.#frames.length === 0;) {
      goesOn = false;
      for (const stream of [...this.#ready]) {
        // The rest of a header block comes before all else.
        if (at === into.length || this.#frames.length > 0) break;
        this.#ready.delete(stream);
        const sent = this.#send(stream, into, at);
        const isServed = sent.to > at || stream.isEndedByUs;
        if (isServed) served.add(stream);
        at = sent.to;
        data += sent.frames;
        // It goes on at the end of the queue; one whose own window is used up comes back when that
        // is raised.
        if (!stream.isReady) continue;
        if (stream.sendWindow <= 0 && stream.queue.bytes > 0) continue;
        this.#ready.add(stream);
        goesOn ||= isServed;
      }
    }
    this.#isWriting = at > 0;
    return { bytes: at, data };
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

  /** Moves frames other than those of bodies, as far as there is room; gives where it ended. */
  #moveFrames(into: Uint8Array, from: number): number {
    let at = from;
    let moved = 0;
    for (const frame of this.#frames) {
      const part = frame.subarray(this.#frameAt, this.#frameAt + into.length - at);
      into.set(part, at);
      at += part.length;
      this.#frameAt += part.length;
      if (this.#frameAt < frame.length) break;
      this.#frameAt = 0;
      moved++;
    }
    this.#frameBytes -= at - from;
    if (moved > 0) this.#frames = this.#frames.slice(moved);
    return at;
  }

  /** Moves what a stream sends in its turn; gives where it ended, and how many DATA frames it is. */
  #send(
    stream: Stream,
    into: Uint8Array,
    from: number,
  ): { readonly to: number; readonly frames: number } {
    let at = from;
    let frames = 0;
    const { queue, trailers } = stream;
    let left = TURN_BYTES;
    while (queue.bytes > 0) {
      const windows = Math.min(this.sendWindow, stream.sendWindow);
      const most = Math.min(queue.bytes, windows, this.maxFrameBytes);
      const length = Math.min(most, left, into.length - at - HEAD_BYTES);
      if (length <= 0 || length < most && length < LEAST_FRAME_BYTES) return { to: at, frames };
      const isEnd = length === queue.bytes && trailers?.length === 0;
      writeFrameHead(into, at, length, FRAME.DATA, isEnd ? FLAG.END_STREAM : 0, stream.id);
      queue.move(length, into, at + HEAD_BYTES, this.#done);
      this.sendWindow -= length;
      stream.sendWindow -= length;
      stream.sentBytes += length;
      left -= length;
      at += HEAD_BYTES + length;
      frames++;
      stream.isEndedByUs = isEnd;
    }
    if (trailers === undefined || stream.isEndedByUs) return { to: at, frames };
    stream.isEndedByUs = true;
    if (trailers.length === 0) this.add(frameHead(0, FRAME.DATA, FLAG.END_STREAM, stream.id));
    else {
      const block = encodeFields(trailers);
      for (const frame of headersFrames(stream.id, block, true, this.maxFrameBytes)) {
        this.add(frame);
      }
    }
    return { to: this.#moveFrames(into, at), frames };
  }
}
