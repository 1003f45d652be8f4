import type { Clock } from "../../base/clock.ts";
import { HandshakeTimeout } from "../../base/errors.ts";
import { PeerSilent } from "./error_codes.ts";

/** Deadlines of a connection, in seconds, and a clock in milliseconds. */
export interface LivenessOptions {
  /** How long the peer may take until its first stream. */
  readonly headersTimeoutSec: number;
  /** How long the connection may be without streams. */
  readonly idleTimeoutSec: number;
  /** How long it may be silent before it is sent a PING. */
  readonly pingAfterSec: number;
  /** How long it may be silent after that. */
  readonly pingTimeoutSec: number;
  readonly now: Clock["now"];
}

/**
 * How much time counts between two looks at most, in milliseconds: more passed only if this program
 * stood still.
 */
const MAX_STEP_MS = 2000;

/**
 * How long a peer whose time is over still has, in milliseconds: what came until then is read
 * before we judge.
 */
const GRACE_MS = 1000;

/** Finds out whether the peer is still there, by being asked every second or so. */
export class Liveness {
  readonly #options: LivenessOptions;
  #lookedAt: number;
  /** Whether bytes came since the last look. */
  #hasHeard = false;
  #heardBytes = 0;
  #silentMs = 0;
  /** How long it has been without streams. */
  #idleMs = 0;
  #hasPinged = false;
  /** How long its time has been over. */
  #overdueMs: number | undefined;

  /** @param options deadlines and clock */
  constructor(options: LivenessOptions) {
    this.#options = options;
    this.#lookedAt = options.now();
  }

  /** Whether the peer was asked whether it is there, and has not answered. */
  get isAsked(): boolean {
    return this.#hasPinged && !this.#hasHeard;
  }

  /** Takes note that bytes came. */
  heard(bytes: number): void {
    this.#hasHeard = true;
    this.#heardBytes += bytes;
  }

  /**
   * Looks whether the peer's time is over.
   *
   * @param open streams that are open
   * @param begun streams begun so far
   * @returns what is to be done: send a PING, leave for want of streams, or end it for a reason
   */
  look(open: number, begun: number): "ping" | "leave" | Error | undefined {
    const now = this.#options.now();
    const passedMs = now - this.#lookedAt;
    const stepMs = Math.min(passedMs, MAX_STEP_MS);
    this.#lookedAt = now;
    if (passedMs > MAX_STEP_MS) this.#overdueMs = undefined;
    const { headersTimeoutSec, idleTimeoutSec } = this.#options;
    this.#idleMs = open > 0 ? 0 : this.#idleMs + stepMs;
    if (begun === 0 && this.#idleMs >= headersTimeoutSec * 1000) {
      return new HandshakeTimeout(this.#heardBytes, headersTimeoutSec);
    }
    if (open === 0 && this.#idleMs >= idleTimeoutSec * 1000) return "leave";
    return this.#lookForLife(stepMs);
  }

  #lookForLife(stepMs: number): "ping" | Error | undefined {
    if (this.#hasHeard) {
      this.#hasHeard = this.#hasPinged = false;
      this.#overdueMs = undefined;
      this.#silentMs = 0;
      return undefined;
    }
    this.#silentMs += stepMs;
    const { pingAfterSec, pingTimeoutSec } = this.#options;
    if (!this.#hasPinged) {
      if (this.#silentMs < pingAfterSec * 1000) return undefined;
      this.#hasPinged = true;
      this.#silentMs = 0;
      return "ping";
    }
    if (this.#silentMs < pingTimeoutSec * 1000) return undefined;
    if (this.#overdueMs === undefined) this.#overdueMs = 0;
    else this.#overdueMs += stepMs;
    if (this.#overdueMs < GRACE_MS) return undefined;
    return new PeerSilent(pingAfterSec, pingTimeoutSec);
  }
}
