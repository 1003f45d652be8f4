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

/** Counts the sockets of the process, so that files can still be opened. */
export interface SocketCount {
  readonly hasRoom: boolean;
  opened(): void;
  closed(): void;
}

/** For connections that were accepted elsewhere, and are counted there. */
export const NOT_COUNTED: SocketCount = { hasRoom: true, opened() {}, closed() {} };

/**
 * A timer that fires so late, in milliseconds, shows that the program stood still, be it to collect
 * garbage: what came meanwhile is read before anybody is judged. Else a request that came in time
 * would be closed instead of answered.
 */
const LATE_MS = 10;

/** How long reading what came meanwhile may take, in milliseconds. */
const REST_MS = 500;

/** All connections that are open. */
export class HttpConnections {
  /**
   * Each open socket with when its request was last waited for, and the timer of its deadline while
   * it has one.
   */
  readonly #open = new Map<Socket, { asked: number; timer?: ReturnType<typeof setTimeout> }>();
  /** Those that have not asked for anything, the oldest first. */
  readonly #silent = new Set<Socket>();
  #emptied: (() => void) | undefined;

  /**
   * @param limits of all of them
   * @param count counts the sockets of the whole process
   */
  constructor(readonly limits: ConnectionLimits, readonly count: SocketCount = sockets) {}

  /**
   * Takes in a new connection; if there is no room, the oldest one that has not asked for anything
   * is closed for it.
   *
   * @returns whether it was taken in; if not it was closed
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

  /** To be called when a whole request of a connection has come. */
  asked(socket: Socket): void {
    const state = this.#open.get(socket);
    if (state === undefined) return;
    state.asked++;
    clearTimeout(state.timer);
    this.#silent.delete(socket);
  }

  /** To be called when the request of a connection is answered. */
  answered(socket: Socket): void {
    const state = this.#open.get(socket);
    if (state === undefined || --state.asked > 0) return;
    this.#await(socket);
  }

  /**
   * Closes the connections that have not asked for anything, and resolves when all others are
   * closed too.
   */
  gone(): Promise<void> {
    for (const socket of this.#silent) socket.destroy();
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#emptied = resolve);
  }

  /** Closes all connections at once. */
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
