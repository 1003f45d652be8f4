/**
 * Turns a listener that calls back into an `accept()` that can be awaited.
 *
 * @module
 */
import type { TcpConnection } from "./types.ts";

/** Keeps connections until they are accepted, and at most one error. */
export class AcceptQueue {
  #ready: TcpConnection[] = [];
  #refused = 0;
  #makeError: ((refused: number) => Error) | undefined;
  #waiting: PromiseWithResolvers<TcpConnection | undefined>[] = [];
  #closed = false;

  /** Adds a new connection. */
  offer(connection: TcpConnection): void {
    const next = this.#waiting.shift();
    if (next) next.resolve(connection);
    else if (this.#closed) connection.close();
    else this.#ready.push(connection);
  }

  /**
   * Tells that a connection was refused; until it is heard, further ones are only counted.
   *
   * @param makeError makes the error from how many it stands for
   */
  refuse(makeError: (refused: number) => Error): void {
    if (this.#closed) return;
    const next = this.#waiting.shift();
    if (next) return next.reject(makeError(1));
    this.#refused++;
    this.#makeError = makeError;
  }

  /** The next connection; `undefined` once closed. */
  accept(): Promise<TcpConnection | undefined> {
    const connection = this.#ready.shift();
    if (connection || this.#closed) return Promise.resolve(connection);
    if (this.#makeError) {
      const error = this.#makeError(this.#refused);
      this.#makeError = undefined;
      this.#refused = 0;
      return Promise.reject(error);
    }
    const next = Promise.withResolvers<TcpConnection | undefined>();
    this.#waiting.push(next);
    return next.promise;
  }

  /** Closes the connections that nobody accepted, and lets no more in. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#ready.splice(0)) connection.close();
    for (const next of this.#waiting.splice(0)) next.resolve(undefined);
  }
}
