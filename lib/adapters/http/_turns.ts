/**
 * Requests of one connection are answered one after the other, though a client may send the next
 * before it was answered: else somebody who sends thousands and reads nothing would have all of the
 * answers made, and kept.
 *
 * @module
 */
import type { Socket } from "node:net";
import type { Writable } from "node:stream";

/** How many requests of a connection may wait for their answer; browsers send one at a time. */
const MAX_WAITING = 100;

/** The requests of one connection. */
interface Line {
  waiting: number;
  /** Resolves when the last of them was answered. */
  last: Promise<void>;
}

/** Whose turn it is, by connection. */
export class Turns {
  readonly #lines = new WeakMap<Socket, Line>();

  /**
   * Runs an answer once those before it are given; a connection with too many that wait is closed.
   *
   * @param socket of the connection
   * @param outgoing closes when it was answered
   * @param run answers
   */
  take(socket: Socket, outgoing: Writable, run: () => void): void {
    let line = this.#lines.get(socket);
    if (line === undefined) {
      this.#lines.set(socket, line = { waiting: 0, last: Promise.resolve() });
    }
    if (++line.waiting > MAX_WAITING) return void socket.destroy();
    const isFirst = line.waiting === 1;
    const before = line.last;
    line.last = new Promise((resolve) =>
      outgoing.once("close", () => {
        line.waiting--;
        resolve();
      })
    );
    if (isFirst) run();
    else void before.then(() => socket.destroyed || run());
  }
}
