import type { Clock } from "../base/clock.ts";
import { clearPieces } from "./piece_slabs.ts";

/** While much waits, a collection is due after at most so many bytes that were read. */
const MAX_INTERVAL_BYTES = 24 * 1024 * 1024;

/**
 * And after at least so many, however small the limit is: else a program would do nothing but collect
 * garbage.
 */
const MIN_INTERVAL_BYTES = 16 * 1024 * 1024;

/** Below this part of the limit there is room for garbage, and nothing is collected. */
const CALM = 1 / 4;

/** From this part of the limit on, the pool gives memory back as soon as it is dead. */
const TIGHT = 1 / 32;

/** After so many clients have left a collection is worth its time. */
const MANY_LEFT = 100;

/**
 * While clients are still leaving it takes so many times as many: the fewer are left, the quicker a
 * collection is.
 */
const WHILE_LEAVING = 4;

/**
 * When clients come and go in bursts a collection is due at once after so many have left and so
 * many bytes were read, if each of them brought enough: clients that say nothing leave little
 * garbage, and a collection would only keep an SDK among them waiting.
 */
const BURST = { left: 50, bytes: 8 * 1024 * 1024, bytesEach: 16 * 1024 };

/** After a collection for a burst, none follows for so many times as long as it took. */
const BURST_PAUSE = 5;

/**
 * A collection is due at once after so many bytes of garbage, and so many more for each client that
 * is connected: the more is alive, the longer a collection takes.
 */
const GARBAGE = { bytes: 32 * 1024 * 1024, bytesEach: 4 * 1024 };

/**
 * So many times as much of either is collected whatever a collection takes: on a machine that does other
 * work each takes long, and in the pause behind it an attacker could make hundreds of megabytes.
 */
const MUCH = { garbage: 2, read: 3 };

/** Collections for clients that left may take at most 1/50 of the time. */
const MIN_PAUSE = 50;

/** The least time between two such collections, in milliseconds. */
const MIN_PAUSE_MS = 1000;

/** After so many reads a collection is worth its time once nothing comes any more. */
const MIN_READS = 1000;

/** It is quiet when so many looks in a row found nothing read. */
const QUIET_LOOKS = 4;

/**
 * Asks for a garbage collection now and then while many messages wait, and once it is quiet.
 *
 * Runtimes let garbage grow with what is alive: with 256 MiB waiting, Deno's process had 500 MB and
 * Bun's 870 MB. The user bounds what may wait, and what is dead should stay small beside that. And
 * without work Deno does not collect at all: 5,000 clients that have left keep 40 MB until
 * something happens again.
 */
export class MemoryPressure {
  #bytes = 0;
  /** Whether much has waited since the last collection: what was received of it is garbage now. */
  #due = false;
  /** Reads since the last collection that was made because nothing came any more. */
  #reads = 0;
  #readsAtLook = 0;
  /** Bytes that were read since the last collection for clients that left. */
  #bytesSince = 0;
  #quietLooks = 0;
  /** Bytes of garbage that were reported since the last collection. */
  #garbage = 0;
  #left = 0;
  #leftAtLook = 0;
  /** When the next collection for clients that left may be made, in milliseconds. */
  #notBefore = -Infinity;
  #hasBegun = false;

  /**
   * @param collect collects the garbage before it returns; with `true` it lets the runtime begin,
   * which takes next to no time, and shortens the collection that follows at the next look
   * @param waiting gives the bytes that wait, and their limit
   * @param now milliseconds
   * @param spare memory that is kept for later, and is let go of first
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
    const interval = Math.min(this.waiting.limitBytes / 4, MAX_INTERVAL_BYTES);
    if (this.#bytes < Math.max(interval, MIN_INTERVAL_BYTES)) return;
    this.#bytes = 0;
    this.#due = !isCalm;
    this.collect();
  }

  /** Takes note of a client that left: its objects are garbage, and runtimes let that pile up. */
  left(): void {
    this.#left++;
  }

  /**
   * Takes note of objects that are garbage soon and are not messages, such as those of HTTP/2
   * frames: with thousands of clients runtimes let hundreds of megabytes of them pile up.
   *
   * @param bytes of memory that they take, estimated
   */
  garbage(bytes: number): void {
    this.#garbage += bytes;
  }

  /**
   * Collects if clients come and go in bursts: each leaves its messages behind as garbage, and
   * waiting for the next look would let hundreds of megabytes pile up. To be called often.
   *
   * @param clients that are connected
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
   * Collects if it is worth its time. To be called now and then.
   *
   * @param clients that are connected: the more there are, the longer a collection takes
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

  /**
   * Collects; no collection for clients that left follows for so many times as long as this one
   * took.
   */
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
