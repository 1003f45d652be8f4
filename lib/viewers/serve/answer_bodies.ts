/**
 * Bodies of answers that are made at once, such as lists and files of the page. A reader that takes
 * nothing of them must neither stay for ever nor keep much memory.
 *
 * @module
 */
import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import type { ViewerHub } from "../types.ts";
import { BROWSER_PATIENCE, type StallOptions, StallWatch } from "./stall_watch.ts";

/** Bytes that are given at once, so that progress shows. */
const PIECE_BYTES = 64 * 1024;
/** Bytes that answers on their way may have together; others wait, and those that stand still are cut off. */
const MAX_BYTES = 64 * 1024 * 1024;
/** Bytes that one which is being made counts with, until it is known how many it has. */
const MAKING_BYTES = 4 * 1024 * 1024;
/** Who has taken something within this time, in milliseconds, does not stand still. */
const STILL_MS = 1000;

/** An answer on its way. */
interface Answer {
  readonly bytes: number;
  /** When something of it was last taken, in monotonic milliseconds. */
  atMs: number;
  cut(): void;
}

/** All such answers. */
export class AnswerBodies {
  readonly #stalls: StallWatch;
  readonly #now: Clock["now"];
  /** The one of which nothing was taken for longest comes first. */
  readonly #open = new Set<Answer>();
  /** Who waits until there is room to make an answer. */
  readonly #waiting: (() => void)[] = [];
  readonly #every: Clock["every"];
  #stopLooking: (() => void) | undefined;
  #making = 0;
  #bytes = 0;

  /**
   * @param options the deadline, and the clock
   * @param hub whose viewers take them, too
   */
  constructor(options: StallOptions, hub: Pick<ViewerHub, "unsentBytes"> = {}) {
    this.#stalls = new StallWatch(options, hub);
    this.#now = options.now ?? SYSTEM_CLOCK.now;
    this.#every = options.every ?? SYSTEM_CLOCK.every;
  }

  /** Bytes of all that are on their way, which are kept for them alone. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Makes an answer once there is room for it, which those make that stand still.
   *
   * @param make makes it, and calls {@linkcode AnswerBodies.of}
   */
  async whenRoom<T>(make: () => Promise<T>): Promise<T> {
    if (!this.#hasRoom) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        this.#stopLooking ??= this.#every(STILL_MS / 2, () => this.#makeRoom());
      });
    } else this.#making++;
    try {
      return await make();
    } finally {
      this.#making--;
      this.#goOn();
    }
  }

  /**
   * Makes a body; whoever takes nothing of it for a minute is cut off, or for a second where others
   * wait for room.
   *
   * @param bytes the whole answer
   * @param addr address of its reader, if known
   * @param isShared whether they are kept anyway, as files of the page
   */
  of(
    bytes: Uint8Array<ArrayBuffer>,
    addr: string | undefined,
    isShared = false,
  ): Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> {
    // One piece is handed over as a whole, and pollers get many of these.
    if (bytes.length <= PIECE_BYTES) return bytes;
    let at = 0;
    let cut = () => {};
    let unwatch = () => {};
    const answer = {
      ...{ patience: BROWSER_PATIENCE, addr, waits: true, taken: 0, atMs: this.#now() },
      bytes: isShared ? 0 : bytes.length,
      cut: () => cut(),
    };
    const end = () => {
      unwatch();
      if (!this.#open.delete(answer)) return;
      this.#bytes -= answer.bytes;
      this.#goOn();
    };
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        cut = () => {
          end();
          controller.error(new Error("this reader took nothing for too long"));
        };
        unwatch = this.#stalls.add(answer);
        this.#open.add(answer);
        this.#bytes += answer.bytes;
      },
      pull: (controller) => {
        answer.taken++;
        answer.atMs = this.#now();
        this.#open.delete(answer);
        this.#open.add(answer);
        controller.enqueue(bytes.subarray(at, at += PIECE_BYTES));
        if (at < bytes.length) return;
        end();
        controller.close();
      },
      cancel: end,
    }, { highWaterMark: 0 });
  }

  get #hasRoom(): boolean {
    return this.#bytes + (this.#making + 1) * MAKING_BYTES <= MAX_BYTES;
  }

  /** Lets those go on for whom there is room now. */
  #goOn(): void {
    while (this.#waiting.length > 0 && this.#hasRoom) {
      this.#making++;
      this.#waiting.shift()!();
    }
    if (this.#waiting.length > 0) return;
    this.#stopLooking?.();
    this.#stopLooking = undefined;
  }

  #makeRoom(): void {
    const stillSince = this.#now() - STILL_MS;
    for (const answer of this.#open) {
      if (this.#hasRoom || answer.atMs > stillSince) return;
      if (answer.bytes > 0) answer.cut();
    }
  }
}
