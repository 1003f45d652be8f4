/**
 * Decides who may connect, by the address alone, before a byte is read.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import type { NetAddr } from "../base/net_addr.ts";
import { forgetOldest } from "../base/forget_oldest.ts";
import {
  AddressNotAllowed,
  ConnectsTooOften,
  type RerelayError,
  TooManyOfAddress,
} from "../base/errors.ts";

/** What the doorkeeper decides by. */
export interface DoorkeeperOptions {
  /** Tells whether an address may connect at all. */
  readonly isAllowed?: (hostname: string) => boolean;
  /** Connections that one address may have open; infinity if undefined. */
  readonly maxConnectionsPerAddress?: number;
  /** How often one address may connect, on average, after as many at once; infinity if undefined. */
  readonly maxConnectsPerSec?: number;
  /** Monotonic clock in milliseconds. */
  readonly now: Clock["now"];
}

/**
 * How many addresses without an open connection are remembered: a peer with more of them may
 * connect too often.
 */
const MAX_ADDRESSES = 65_536;

interface Visitor {
  open: number;
  /** Connects that it may still make at once. */
  tokens: number;
  /** When the tokens were counted last. */
  at: number;
}

/** Counts the connections of each address, and lets in or refuses new ones. */
export class Doorkeeper {
  readonly #options: DoorkeeperOptions;
  readonly #counts: boolean;
  /** By address; the one that connected last is at the end. */
  readonly #visitors = new Map<string, Visitor>();

  /** @param options limits; each may be left out */
  constructor(options: DoorkeeperOptions) {
    this.#options = options;
    const { maxConnectionsPerAddress = Infinity, maxConnectsPerSec = Infinity } = options;
    this.#counts = Math.min(maxConnectionsPerAddress, maxConnectsPerSec) < Infinity;
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#visitors.size;
  }

  /**
   * Lets a connection in, or gives the error why not. When a connection that was let in is over,
   * {@linkcode Doorkeeper.left} must be called.
   *
   * @param addr where it comes from; undefined if it has left already
   */
  enter(addr: NetAddr | undefined): RerelayError | undefined {
    const { isAllowed, maxConnectionsPerAddress: most = Infinity, maxConnectsPerSec = Infinity } =
      this.#options;
    const hostname = addr?.hostname;
    if (isAllowed !== undefined && (hostname === undefined || !isAllowed(hostname))) {
      return new AddressNotAllowed(hostname);
    }
    if (!this.#counts || hostname === undefined) return undefined;
    const visitor = this.#visitor(hostname);
    if (visitor.open >= most) return new TooManyOfAddress(hostname, most);
    if (visitor.tokens < 1) return new ConnectsTooOften(hostname, maxConnectsPerSec);
    visitor.tokens--;
    visitor.open++;
    return undefined;
  }

  /** Notes that a connection is over. */
  left(addr: NetAddr | undefined): void {
    const visitor = addr && this.#visitors.get(addr.hostname);
    if (visitor !== undefined && visitor.open > 0) visitor.open--;
  }

  #visitor(hostname: string): Visitor {
    const { maxConnectsPerSec = Infinity, now } = this.#options;
    const burst = Math.max(1, maxConnectsPerSec);
    const known = this.#visitors.get(hostname);
    const at = now();
    const visitor = known ?? { open: 0, tokens: burst, at };
    if (burst < Infinity) {
      visitor.tokens = Math.min(
        burst,
        visitor.tokens + (at - visitor.at) / 1000 * maxConnectsPerSec,
      );
    }
    visitor.at = at;
    this.#visitors.delete(hostname);
    this.#visitors.set(hostname, visitor);
    // Connections are bounded elsewhere; this bounds the memory of those that left.
    forgetOldest(this.#visitors, MAX_ADDRESSES, ({ open }) => open === 0);
    return visitor;
  }
}
