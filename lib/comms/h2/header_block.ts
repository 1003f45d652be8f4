import { ERROR, H2Error } from "./error_codes.ts";
import { FLAG, FRAME, u31 } from "./frames.ts";
import { plural } from "../../base/plural.ts";

/** A header block that is whole. */
export interface WholeBlock {
  readonly id: number;
  readonly bytes: Uint8Array;
  /** Whether the stream ends with it. */
  readonly isEnd: boolean;
  /** Whether its priority makes the stream depend on itself, which is a stream error. */
  readonly dependsOnItself: boolean;
}

/** How many frames a block may come in: with frames of 16 KiB, eight are more than enough. */
const MAX_FRAMES = 9;

/** Bytes of a priority. */
const PRIORITY_BYTES = 5;

const NOTHING: Uint8Array = new Uint8Array(0);

/** Puts header blocks together, which no other frame may interrupt. */
export class HeaderBlocks {
  #id = 0;
  #bytes: Uint8Array = NOTHING;
  #frames = 0;
  #isEnd = false;
  #dependsOnItself = false;

  /** @param maxBytes limit of a block */
  constructor(readonly maxBytes: number) {}

  /** Bytes that came of a block that is not whole. */
  get partialBytes(): number {
    return this.#bytes.length;
  }

  /**
   * Checks that a frame may come now.
   *
   * @throws {H2Error} PROTOCOL_ERROR if it may not
   */
  check(type: number, id: number): void {
    const isContinued = this.#frames > 0;
    if (isContinued !== (type === FRAME.CONTINUATION) || isContinued && id !== this.#id) {
      throw new H2Error(
        ERROR.PROTOCOL_ERROR,
        isContinued ? "a header block is interrupted" : "CONTINUATION without HEADERS before it",
      );
    }
  }

  /**
   * Takes a HEADERS frame.
   *
   * @param payload a view, which is copied if more follows
   * @returns the block if it is whole
   * @throws {H2Error} if it is malformed or too large
   */
  headers(flags: number, id: number, payload: Uint8Array): WholeBlock | undefined {
    let from = 0;
    let to = payload.length;
    if (flags & FLAG.PADDED) {
      if (to < 1) throw new H2Error(ERROR.FRAME_SIZE_ERROR, "a padded HEADERS frame is empty");
      from = 1;
      to -= payload[0]!;
    }
    this.#dependsOnItself = false;
    if (flags & FLAG.PRIORITY) {
      if (to - from < PRIORITY_BYTES) {
        throw new H2Error(
          to < from ? ERROR.PROTOCOL_ERROR : ERROR.FRAME_SIZE_ERROR,
          "HEADERS without room for its priority",
        );
      }
      this.#dependsOnItself = u31(payload, from) === id;
      from += PRIORITY_BYTES;
    }
    if (to < from) {
      throw new H2Error(ERROR.PROTOCOL_ERROR, "the padding is longer than the HEADERS frame");
    }
    this.#id = id;
    this.#isEnd = (flags & FLAG.END_STREAM) !== 0;
    return this.#add(payload.subarray(from, to), flags);
  }

  /**
   * Takes a CONTINUATION frame.
   *
   * @param payload a view, which is copied if more follows
   * @returns the block if it is whole
   * @throws {H2Error} ENHANCE_YOUR_CALM if it is too large, or in too many frames
   */
  continuation(flags: number, payload: Uint8Array): WholeBlock | undefined {
    return this.#add(payload, flags);
  }

  #add(part: Uint8Array, flags: number): WholeBlock | undefined {
    const { length } = this.#bytes;
    if (length + part.length > this.maxBytes) {
      throw new H2Error(
        ERROR.ENHANCE_YOUR_CALM,
        `header fields over ${plural(this.maxBytes, "byte")}`,
      );
    }
    if (++this.#frames > MAX_FRAMES) {
      throw new H2Error(ERROR.ENHANCE_YOUR_CALM, `a header block of over ${MAX_FRAMES} frames`);
    }
    const isWhole = (flags & FLAG.END_HEADERS) !== 0;
    let bytes = part;
    if (length > 0 || !isWhole) {
      bytes = new Uint8Array(length + part.length);
      bytes.set(this.#bytes);
      bytes.set(part, length);
    }
    if (!isWhole) {
      this.#bytes = bytes;
      return undefined;
    }
    this.#bytes = NOTHING;
    this.#frames = 0;
    return {
      id: this.#id,
      bytes,
      isEnd: this.#isEnd,
      dependsOnItself: this.#dependsOnItself,
    };
  }
}
