/**
 * Whose turn it is to be read on, of clients whose sockets hold more.
 *
 * Ten thousand clients that were all read a little would all have a packet that is not whole: 100 kB
 * each are a gigabyte. With turns the same clients come one after the other, and a few packets are
 * under way. Whoever sends less than is read at once needs no turn and waits for nobody.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";

/** Bytes of one client before it is the next one's turn. */
const TURN_BYTES = 1024 * 1024;

/** A turn in which no bytes come is looked at after so many milliseconds, and lost at the second look. */
const STILL_MS = 2;

/** Memory of what one turn may have under way: what it reads, and a packet that is not whole. */
const BYTES_PER_TURN = 4 * 1024 * 1024;

/** More would be read from in one round of the event loop. */
const MAX_TURNS = 16;

/** Clients that wait before no more are let in than go on. */
const CROWD = 256;

interface Turn {
  left: number;
  /** Bytes are asked for and have not come. */
  isAsking: boolean;
  /** That was so at the last look. */
  stoodStill: boolean;
}

/** Options of {@linkcode FlowTurns}. */
export interface FlowTurnsOptions {
  /** How many have a turn at once. */
  readonly count: number;
  /** Waits for so many milliseconds. */
  readonly delay: Clock["delay"];
}

/**
 * How many clients may be read on at once beside a channel.
 *
 * @param limitBytes of the channel
 */
export function turnsFor(limitBytes: number): number {
  return Math.max(1, Math.min(MAX_TURNS, Math.floor(limitBytes / BYTES_PER_TURN)));
}

/** A few turns, first come first served. */
export class FlowTurns<Who> {
  #count: number;
  readonly #delay: Clock["delay"];
  readonly #turns = new Map<Who, Turn>();
  #row: { readonly who: Who; readonly go: () => void }[] = [];
  #isLooking = false;
  #crowded: PromiseWithResolvers<void> | undefined;

  /** @param options how many, and a clock */
  constructor({ count, delay }: FlowTurnsOptions) {
    this.#count = count;
    this.#delay = delay;
  }

  /** Clients that wait for their turn. */
  get waiting(): number {
    return this.#row.length;
  }

  /**
   * What to wait for before another client is let in: while many wait, until one of them has its turn.
   * Those that were not let in wait in the system's queue, where they take no memory of ours.
   */
  pace(): Promise<void> | undefined {
    if (this.#row.length < CROWD) return undefined;
    return (this.#crowded ??= Promise.withResolvers()).promise;
  }

  /**
   * Asks for a turn.
   *
   * @param who has more to be read
   * @returns resolves when it is its turn; nothing if it is now
   */
  acquire(who: Who): Promise<void> | undefined {
    if (this.#turns.has(who)) return undefined;
    if (this.#turns.size < this.#count) return void this.#give(who);
    return this.#wait(who);
  }

  /**
   * Asks to go on, which somebody whose turn is used up may only if nobody waits.
   *
   * @param who may have a turn, or not
   * @returns resolves when it is its turn again; nothing if it may go on now
   */
  goOn(who: Who): Promise<void> | undefined {
    if (this.#row.length === 0) return undefined;
    const turn = this.#turns.get(who);
    if (turn === undefined || turn.left > 0) return undefined;
    const again = this.#wait(who);
    this.release(who);
    return again;
  }

  /** Takes note that bytes are asked for. */
  asks(who: Who): void {
    const turn = this.#turns.get(who);
    if (turn === undefined) return;
    turn.isAsking = true;
    if (this.#row.length > 0) this.#look();
  }

  /**
   * Takes note of what came: without more behind it the turn is over.
   *
   * @param who was read
   * @param bytes that came
   * @param hasMore whether its socket holds more
   */
  answered(who: Who, bytes: number, hasMore: boolean): void {
    const turn = this.#turns.get(who);
    if (turn === undefined) return;
    if (!hasMore) return this.release(who);
    turn.isAsking = turn.stoodStill = false;
    turn.left -= bytes;
  }

  /** Gives a turn up, if it has one. */
  release(who: Who): void {
    if (!this.#turns.delete(who)) return;
    this.#next();
  }

  /** Lets everybody go on from now on. */
  open(): void {
    this.#count = Infinity;
    this.#next();
  }

  #give(who: Who): void {
    this.#turns.set(who, { left: TURN_BYTES, isAsking: false, stoodStill: false });
  }

  #wait(who: Who): Promise<void> {
    return new Promise((go) => {
      this.#row.push({ who, go });
      this.#look();
    });
  }

  #next(): void {
    this.#crowded?.resolve();
    this.#crowded = undefined;
    while (this.#turns.size < this.#count) {
      const next = this.#row.shift();
      if (next === undefined) return;
      this.#give(next.who);
      next.go();
    }
  }

  /** Looks for turns in which nothing comes, as long as somebody waits for one. */
  #look(): void {
    if (this.#isLooking || !this.#mayStandStill()) return;
    this.#isLooking = true;
    void this.#delay(STILL_MS).then(() => {
      this.#isLooking = false;
      if (this.#row.length === 0) return;
      for (const [who, turn] of this.#turns) {
        if (turn.isAsking && turn.stoodStill) this.#turns.delete(who);
        else turn.stoodStill = turn.isAsking;
      }
      this.#next();
      if (this.#row.length > 0) this.#look();
    });
  }

  /** Whoever waits for the receiver keeps its turn: a look at it would change nothing. */
  #mayStandStill(): boolean {
    for (const { isAsking } of this.#turns.values()) if (isAsking) return true;
    return false;
  }
}
