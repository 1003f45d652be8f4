/**
 * Reads what a WebSocket's client sends (RFC 6455), as far as a server must that only sends; and
 * makes close frames.
 *
 * @module
 */
import { MAX_HEAD_BYTES, OPCODE, writeFrameHead } from "./frame_head.ts";

/** Longest payload of a control frame (section 5.5). */
const MAX_CONTROL_BYTES = 125;

/**
 * Viewers need not send messages; those up to this length, in bytes, are ignored, and longer ones
 * end the connection.
 */
const MAX_IGNORED_BYTES = 64 * 1024;

/**
 * A close frame (section 5.5.1).
 *
 * @param code why
 * @param reason why in words, cut to what fits
 */
export function closeFrame(code: number, reason: string): Uint8Array {
  const text = new Uint8Array(MAX_CONTROL_BYTES - 2);
  const { written } = new TextEncoder().encodeInto(reason, text);
  const head = new Uint8Array(MAX_HEAD_BYTES);
  const end = writeFrameHead(head, 0, OPCODE.close, 2 + written);
  return Uint8Array.of(
    ...head.subarray(0, end),
    code >> 8,
    code & 0xff,
    ...text.subarray(0, written),
  );
}

/** A frame that the server must answer. */
export interface ControlFrame {
  readonly opcode: number;
  readonly payload: Uint8Array;
}

/** Reads what a client sends; holds no more than one control frame. */
export class ClientFrames {
  #head: number[] = [];
  #payload: number[] = [];
  /** Payload bytes that are still to come; −1 while the head is not whole. */
  #missing = -1;
  /** Bytes that came of the message that is being ignored; a message may come in many frames. */
  #ignored = 0;

  /**
   * Takes bytes.
   *
   * @returns the control frames that are whole; `error` is the close code for a client that breaks the rules
   */
  push(bytes: Uint8Array): { items: ControlFrame[]; error?: number } {
    const items: ControlFrame[] = [];
    for (let at = 0; at < bytes.length;) {
      if (this.#missing < 0) {
        this.#head.push(bytes[at++]!);
        const error = this.#readHead();
        if (error !== undefined) return { items, error };
      } else if (this.#isControl) {
        this.#payload.push(bytes[at++]! ^ this.#head[2 + this.#payload.length % 4]!);
        this.#missing--;
      } else {
        const skipped = Math.min(this.#missing, bytes.length - at);
        at += skipped;
        this.#missing -= skipped;
        this.#ignored += skipped;
        if (this.#ignored > MAX_IGNORED_BYTES) return { items, error: 1009 };
      }
      if (this.#missing === 0) this.#finish(items);
    }
    return { items };
  }

  get #isControl(): boolean {
    return (this.#head[0]! & 8) !== 0;
  }

  #readHead(): number | undefined {
    const [first = 0, second = 0x80] = this.#head;
    const length = second & 0x7f;
    if ((second & 0x80) === 0 || (first & 0x70) !== 0) return 1002; // unmasked, or an extension
    if (this.#isControl && (length > MAX_CONTROL_BYTES || (first & 0x80) === 0)) return 1002;
    const lengthBytes = length === 127 ? 8 : length === 126 ? 2 : 0;
    if (this.#head.length < 2 + lengthBytes + 4) return undefined;
    this.#missing = lengthBytes === 0
      ? length
      : this.#head.slice(2, 2 + lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0);
    return undefined;
  }

  #finish(items: ControlFrame[]): void {
    const isLast = (this.#head[0]! & 0x80) !== 0;
    if (this.#isControl) {
      items.push({ opcode: this.#head[0]! & 15, payload: Uint8Array.from(this.#payload) });
    } else if (isLast) this.#ignored = 0;
    this.#head = [];
    this.#payload = [];
    this.#missing = -1;
  }
}
