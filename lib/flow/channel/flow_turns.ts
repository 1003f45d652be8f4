/**
 * Decides whose turn it is to be read, of clients whose sockets hold more than one read takes.
 *
 * If ten thousand clients were each read a little, each would have a packet that is not whole: with
 * 100 kB each that is a gigabyte. With turns they are read one after another, and only a few
 * packets are under way. A client that sends less than one read takes needs no turn, and waits for
 * nobody.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";

/** Bytes that one client may send before it is the next one's turn. */
const TURN_BYTES = 1024 * 1024;

/**
 * A turn in which no bytes come is looked at every so many milliseconds, and lost at the second
 * look.
 */
const STILL_MS = 2;

/** Memory that one turn may take: what it reads, and a packet that is not whole. */
const BYTES_PER_TURN = 4 * 1024 * 1024;

/** How many turns there are at most: so many sockets are read in one round of the event loop. */
const MAX_TURNS = 16;

/** While so many clients wait for a turn, a new client is let in only for one that gets its turn. */
const CROWD = 256;

interface Turn {
  left: number;
  /** Whether we wait for bytes of it. */
  isAsking: boolean;
  /** Whether that was so at the last look, too. */
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

/** Gives clients their turns, first come first served. */
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
   * Gives what to wait for before another client is let in: while many wait, until one of them gets
   * its turn. Clients that are not let in wait in the system's queue, where they take no memory of
   * ours.
   */
  pace(): Promise<void> | undefined {
    if (this.#row.length < CROWD) return undefined;
    return (this.#crowded ??= Promise.withResolvers()).promise;
  }

  /**
   * Asks for a turn.
   *
   * @param who the client whose socket holds more
   * @returns resolves when it is its turn; nothing if it is now
   */
  acquire(who: Who): Promise<void> | undefined {
    if (this.#turns.has(who)) return undefined;
    if (this.#turns.size < this.#count) return void this.#give(who);
    return this.#wait(who);
  }

  /**
   * Asks to go on; a client whose turn is used up may only do so if nobody waits.
   *
   * @param who a client, with or without a turn
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

  /** Takes note that we wait for bytes of a client. */
  asks(who: Who): void {
    const turn = this.#turns.get(who);
    if (turn === undefined) return;
    turn.isAsking = true;
    if (this.#row.length > 0) this.#look();
  }

  /**
   * Takes note of what came; if its socket holds no more, the turn is over.
   *
   * @param the client that was read
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

  /** Looks for turns in which nothing comes, as long as a client waits for a turn. */
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

  /**
   * Whether a turn may be lost at a look: one whose client waits for the receiver is kept in any
   * case.
   */
  #mayStandStill(): boolean {
    for (const { isAsking } of this.#turns.values()) if (isAsking) return true;
    return false;
  }
}
