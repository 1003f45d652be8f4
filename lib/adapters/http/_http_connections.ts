/**
 * The connections of an HTTP server, and the deadline of those that have not asked for anything.
 *
 * @module
 */
import type { Socket } from "node:net";
import { openFiles, sockets } from "../process/open_files.ts";

/** Limits of connections. */
export interface ConnectionLimits {
  /** Seconds for all of a request's headers, counted from the connection or the last answer. */
  readonly handshakeTimeoutSec: number;
  /** Connections at most. */
  readonly maxConnections: number;
}

/** How many sockets the process has, where that is counted here. */
export interface SocketCount {
  readonly hasRoom: boolean;
  opened(): void;
  closed(): void;
}

/** Whoever accepted them counts them. */
export const NOT_COUNTED: SocketCount = { hasRoom: true, opened() {}, closed() {} };

/**
 * A deadline that is noticed so late: the program stood still, be it to collect garbage, and what came
 * meanwhile is read first. Else a request that came in time would be closed instead of answered.
 */
const LATE_MS = 10;

/** For so long. */
const REST_MS = 500;

/** All connections that are open. */
export class HttpConnections {
  /** With the deadline's timer while there is one; those without come after their deadline. */
  readonly #open = new Map<Socket, { asked: number; timer?: ReturnType<typeof setTimeout> }>();
  /** Those that have not asked for anything, the oldest first. */
  readonly #silent = new Set<Socket>();
  #emptied: (() => void) | undefined;

  /**
   * @param limits of all of them
   * @param count of all sockets of the process
   */
  constructor(readonly limits: ConnectionLimits, readonly count: SocketCount = sockets) {}

  /**
   * Takes a new one in, if need be for the oldest silent one.
   *
   * @returns whether there is room for it; else it is closed
   */
  add(socket: Socket): boolean {
    socket.on("error", () => {}); // a reset; "close" tells
    const most = Math.min(this.limits.maxConnections, openFiles().viewers);
    if (this.#open.size >= most || !this.count.hasRoom) {
      const [oldest] = this.#silent;
      (oldest ?? socket).destroy();
      if (oldest === undefined) return false;
      this.#forget(oldest);
    }
    this.#open.set(socket, { asked: 0 });
    this.count.opened();
    socket.once("close", () => this.#forget(socket));
    this.#await(socket);
    return true;
  }

  /** A request of it is whole. */
  asked(socket: Socket): void {
    const state = this.#open.get(socket);
    if (state === undefined) return;
    state.asked++;
    clearTimeout(state.timer);
    this.#silent.delete(socket);
  }

  /** A request of it is answered. */
  answered(socket: Socket): void {
    const state = this.#open.get(socket);
    if (state === undefined || --state.asked > 0) return;
    this.#await(socket);
  }

  /** Closes the silent ones, and resolves when all others are closed too. */
  gone(): Promise<void> {
    for (const socket of this.#silent) socket.destroy();
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#emptied = resolve);
  }

  /** Closes all. */
  destroy(): void {
    for (const socket of this.#open.keys()) socket.destroy();
  }

  #await(socket: Socket): void {
    this.#silent.add(socket);
    const state = this.#open.get(socket)!;
    const ms = this.limits.handshakeTimeoutSec * 1000;
    const due = performance.now() + ms;
    state.timer = setTimeout(() => {
      const isLate = performance.now() >= due + LATE_MS;
      if (isLate) state.timer = setTimeout(() => socket.destroy(), REST_MS);
      else socket.destroy();
    }, ms);
  }

  #forget(socket: Socket): void {
    const state = this.#open.get(socket);
    if (state === undefined) return;
    clearTimeout(state.timer);
    this.#open.delete(socket);
    this.count.closed();
    this.#silent.delete(socket);
    if (this.#open.size === 0) this.#emptied?.();
  }
}
