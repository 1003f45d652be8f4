import type { Clock } from "../base/clock.ts";
import { clearPieces } from "./piece_slabs.ts";

/** Bytes that are read from one collection to the next while much waits: at most so many. */
const MAX_INTERVAL_BYTES = 24 * 1024 * 1024;

/** Below this part of the limit there is room enough for what the runtime has not collected yet. */
const CALM = 1 / 4;

/** From this part of it on, memory is given back as soon as it is dead: more is to come. */
const TIGHT = 1 / 32;

/** Clients that left, after which a collection is worth its time. */
const MANY_LEFT = 100;

/** So many times as many while others still leave: soon there will be less to look through. */
const WHILE_LEAVING = 4;

/**
 * Clients that left, and bytes that were read, after which a collection is worth its time at once, where
 * each of them has brought so many: the many that say nothing leave little behind, and a collection then
 * would keep an SDK among them waiting.
 */
const BURST = { left: 50, bytes: 8 * 1024 * 1024, bytesEach: 16 * 1024 };

/** A collection for a burst is followed by so many times its own time without one. */
const BURST_PAUSE = 5;

/**
 * Garbage after which a collection is worth its time at once, and the same for each client that is here:
 * to look through what they are made of takes time, and what is alive is what runtimes measure it by.
 */
const GARBAGE = { bytes: 32 * 1024 * 1024, bytesEach: 4 * 1024 };

/**
 * So many times as much of either is collected whatever a collection takes: on a machine that does other
 * work each takes long, and in the pause behind it an attacker could make hundreds of megabytes.
 */
const MUCH = { garbage: 2, read: 3 };

/** Collections for clients that left may take at most 1/50 of the time. */
const MIN_PAUSE = 50;

/** The least time between these, in milliseconds. */
const MIN_PAUSE_MS = 1000;

/** Reads after which a collection is worth its time, once it is quiet. */
const MIN_READS = 1000;

/** Looks without a read after which it is quiet. */
const QUIET_LOOKS = 4;

/**
 * Asks for a garbage collection now and then while many messages wait, and once it is quiet.
 *
 * Runtimes let garbage grow with what is alive: with 256 MiB waiting, Deno's process had 500 MB and
 * Bun's 870 MB. What waits is bounded by the user's limit, and so should be what is dead. And when
 * all is over Deno would keep its garbage until something happens again: 40 MB after 5,000 clients.
 */
export class MemoryPressure {
  #bytes = 0;
  /** Much has waited since the last collection: once received it is dead, and still there. */
  #due = false;
  /** Since it was collected because it was quiet. */
  #reads = 0;
  #readsAtLook = 0;
  /** Read since the last collection for clients that left. */
  #bytesSince = 0;
  #quietLooks = 0;
  /** What was said to be dead since the last collection, in bytes. */
  #garbage = 0;
  #left = 0;
  #leftAtLook = 0;
  /** When a collection for clients that left may follow. */
  #notBefore = -Infinity;
  #hasBegun = false;

  /**
   * @param collect collects the garbage before it returns; with `true` it lets the runtime begin, which
   *   takes next to no time and makes the collection short that follows at the next look
   * @param waiting what waits, and its limit, in bytes
   * @param now milliseconds
   * @param spare memory that is let go of before
   */
  constructor(
    readonly collect: (onlyBegin?: boolean) => void,
    readonly waiting: { readonly bytes: number; readonly limitBytes: number },
    readonly now: Clock["now"],
    readonly spare?: { clear(): void; isTight: boolean } | undefined,
  ) {}

  /** Takes note of bytes that were read. */
  read(bytes: number): void {
    this.#reads++;
    this.#bytesSince += bytes;
    const isCalm = this.waiting.bytes < this.waiting.limitBytes * CALM;
    if (this.spare !== undefined) {
      this.spare.isTight = this.waiting.bytes >= this.waiting.limitBytes * TIGHT;
    }
    if (!isCalm) this.#due = true;
    if (!this.#due) return;
    this.#bytes += bytes;
    if (this.#bytes < Math.min(this.waiting.limitBytes / 4, MAX_INTERVAL_BYTES)) return;
    this.#bytes = 0;
    this.#due = !isCalm;
    this.collect();
  }

  /** Takes note of a client that left: what it was made of is dead, and runtimes let that pile up. */
  left(): void {
    this.#left++;
  }

  /**
   * Takes note of what was made of bytes that came, beside messages, and is dead soon: beside thousands of
   * clients runtimes let hundreds of megabytes of it pile up.
   *
   * @param bytes of memory, about
   */
  garbage(bytes: number): void {
    this.#garbage += bytes;
  }

  /**
   * To be called often: where clients come in bursts, each leaves its messages behind too, and waiting
   * until others have left would let hundreds of megabytes pile up.
   *
   * @param clients that are here
   */
  lookAtBurst(clients: number): void {
    const most = {
      garbage: Math.max(GARBAGE.bytes, clients * GARBAGE.bytesEach),
      read: Math.max(BURST.bytes, this.#left * BURST.bytesEach),
    };
    const isBurst = this.#left >= Math.max(BURST.left, clients) && this.#bytesSince >= most.read;
    if (!isBurst && this.#garbage < most.garbage) return;
    const isMuch = this.#garbage >= MUCH.garbage * most.garbage ||
      isBurst && this.#bytesSince >= MUCH.read * most.read;
    if (!isMuch && this.now() < this.#notBefore) return;
    this.#collect(BURST_PAUSE, 0);
  }

  /**
   * To be called now and then.
   *
   * @param clients that are here: to look through what they are made of takes time, too
   */
  look(clients: number): void {
    clearPieces();
    const isForQuiet = this.#hasGoneQuiet();
    if (!this.#haveManyLeft(clients) && !isForQuiet) return;
    this.#hasBegun = !this.#hasBegun;
    if (this.#hasBegun) return this.collect(true);
    if (isForQuiet) {
      this.#reads = this.#readsAtLook = 0;
      this.spare?.clear();
    }
    this.#collect(MIN_PAUSE, MIN_PAUSE_MS);
  }

  /** Collects, and not again before so many times as long has passed. */
  #collect(pause: number, leastMs: number): void {
    this.#left =
      this.#leftAtLook =
      this.#bytesSince =
      this.#garbage =
        0;
    const start = this.now();
    this.collect();
    const end = this.now();
    this.#notBefore = end + Math.max(leastMs, pause * (end - start));
  }

  #hasGoneQuiet(): boolean {
    const isQuiet = this.#reads === this.#readsAtLook && this.waiting.bytes === 0;
    this.#readsAtLook = this.#reads;
    this.#quietLooks = isQuiet ? this.#quietLooks + 1 : 0;
    return this.#reads >= MIN_READS && this.#quietLooks >= QUIET_LOOKS;
  }

  #haveManyLeft(clients: number): boolean {
    const isOver = this.#left === this.#leftAtLook;
    this.#leftAtLook = this.#left;
    const many = Math.max(MANY_LEFT, clients) * (isOver ? 1 : WHILE_LEAVING);
    return this.#left >= many && this.now() >= this.#notBefore;
  }
}
