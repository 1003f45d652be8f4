/**
 * Bytes for the system, past the streams of `node:net`: those want small pieces, for they copy what
 * the system does not take at once (Bun), and tell of a piece when all of it is gone.
 *
 * @module
 */
import { writeSync } from "node:fs";
import process from "node:process";
import type { Duplex } from "node:stream";

/**
 * Hands the beginning of some bytes to the system, at least one of them.
 *
 * @param bytes that stay as they are until it resolves
 * @param took told how many it took
 * @returns resolves when it may be called again
 */
export type HandOver = (bytes: Uint8Array, took: (count: number) => void) => Promise<void>;

/** At once: others want their turn, and progress shows. */
const TURN_BYTES = 1024 * 1024;

/** What the stream of `node:net` is given where the system takes nothing now. */
const PIECE_BYTES = 64 * 1024;

/** Fewer are not worth a way of their own. */
const DIRECT_BYTES = 16 * 1024;

/**
 * The way past the stream of a socket, while nothing waits in that.
 *
 * @param socket of `node:net`, or one with a `handOver` of its own
 */
export function handOverOf(socket: Duplex & { readonly handOver?: HandOver }): HandOver {
  if (socket.handOver !== undefined) {
    return (bytes, took) => socket.handOver!(bytes.subarray(0, TURN_BYTES), took);
  }
  return (bytes, took) => {
    const count = writeNow(socket, bytes.subarray(0, TURN_BYTES));
    if (count > 0) {
      took(count);
      // Whoever reads as fast as this writes would keep all others waiting.
      return new Promise((resolve) => setImmediate(resolve));
    }
    const piece = bytes.subarray(0, PIECE_BYTES);
    return new Promise((resolve, reject) => {
      socket.write(piece, (error) => {
        if (error) return reject(error);
        took(piece.length);
        resolve();
      });
    });
  };
}

/** What the system takes now: nothing where it has no room, or where only the stream can tell why. */
function writeNow(socket: Duplex, bytes: Uint8Array): number {
  // On Windows sockets and files have numbers of two kinds.
  if (bytes.length < DIRECT_BYTES || process.platform === "win32") return 0;
  // Each time: a closed socket's number is another's soon.
  const fd = (socket as { _handle?: { readonly fd?: number } })._handle?.fd ?? -1;
  if (fd < 0) return 0;
  try {
    return writeSync(fd, bytes);
  } catch {
    return 0;
  }
}
