/**
 * Decides whose turn it is to read, of clients that send more than is read at once.
 *
 * Deno reads a buffer of each socket in turn. Then the system's queues of all sockets are full, far
 * more than the processor's caches hold, and it is the receiver that moves on what the senders left
 * in theirs. Many reads of one socket in a row empty its queue, and its sender fills it again
 * meanwhile, as with one client alone. For that the turn stays a moment where a queue was emptied,
 * but not with a client whose data did not come in such a moment before.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";

/**
 * Bytes that one client may send before it is the next one's turn: several times what the system's
 * queues hold.
 */
const TURN_BYTES = 32 * 1024 * 1024;

/**
 * What a read counts at least, in bytes, so that the turn of a client that sends little by little
 * ends too.
 */
const MIN_COUNT = 64 * 1024;

/**
 * A client that sends less than this in its turn, in bytes, is no steady stream: nobody waits for
 * more of it.
 */
const STREAM_BYTES = 2 * 1024 * 1024;

/** How long a turn may go on without bytes while others wait, in milliseconds. */
const STILL_MS = 1;

/** A client that was waited for in vain is not waited for in so many turns. */
const TURNS_WITHOUT_WAIT = 64;

/** A client that takes turns. */
export interface TurnTaker {
  /** In how many turns it will not be waited for; 0 at first. */
  turnsWithoutWait: number;
}

/** Gives one client after another its turn; a client that does not use it loses it. */
export class ReadTurns {
  readonly #every: Clock["every"];
  #holder: TurnTaker | undefined;
  #left = 0;
  /** Whether the client whose turn it is has emptied its socket, and is waited for. */
  #isEmpty = false;
  #waiting: { readonly who: TurnTaker; readonly go: () => void }[] = [];
  #reads = 0;
  #readsAtTick = 0;
  #stop: (() => void) | undefined;

  /** @param timer runs a task again and again */
  constructor(timer: Clock["every"]) {
    this.#every = timer;
  }

  /**
   * Asks for the turn, or for more of it.
   *
   * @param who wants to read
   * @returns resolves when it may; nothing if it may now
   */
  wait(who: TurnTaker): Promise<void> | undefined {
    if (this.#holder === who && this.#waiting.length > 0 && this.#left <= 0) this.#next();
    if (this.#holder === undefined) this.#give(who);
    if (this.#holder === who) return undefined;
    this.#stop ??= this.#every(STILL_MS, () => this.#tick());
    return new Promise((go) => this.#waiting.push({ who, go }));
  }

  /**
   * Takes note of a read.
   *
   * @param who has read
   * @param bytes how much
   * @param isAll whether that emptied its socket
   */
  took(who: TurnTaker, bytes: number, isAll: boolean): void {
    if (this.#holder !== who) return;
    this.#left -= Math.max(bytes, MIN_COUNT);
    this.#reads++;
    this.#isEmpty = isAll;
    if (isAll && !this.#mayStay(who)) this.#next();
  }

  /**
   * Gives up the turn, or the wait for it.
   *
   * @param who has left
   */
  leave(who: TurnTaker): void {
    if (this.#holder === who) return this.#next();
    const at = this.#waiting.findIndex((each) => each.who === who);
    if (at >= 0) this.#waiting.splice(at, 1)[0]!.go();
  }

  #mayStay(who: TurnTaker): boolean {
    const isStream = this.#left <= TURN_BYTES - STREAM_BYTES;
    return isStream && this.#left > 0 && who.turnsWithoutWait === 0 && this.#waiting.length > 0;
  }

  #give(who: TurnTaker | undefined): void {
    this.#holder = who;
    this.#left = TURN_BYTES;
    this.#isEmpty = false;
    if (who !== undefined && who.turnsWithoutWait > 0) who.turnsWithoutWait--;
  }

  #next(): void {
    const next = this.#waiting.shift();
    if (this.#waiting.length === 0) {
      this.#stop?.();
      this.#stop = undefined;
    }
    this.#give(next?.who);
    next?.go();
  }

  #tick(): void {
    if (this.#reads === this.#readsAtTick) {
      if (this.#isEmpty) this.#holder!.turnsWithoutWait = TURNS_WITHOUT_WAIT;
      this.#next();
    }
    this.#readsAtTick = this.#reads;
  }
}
