/**
 * Hands bytes to the system past the streams of `node:net`, which want small pieces: they report a
 * piece only when all of it is gone, and Bun's copy what the system does not take at once. To see
 * it: `s.write(new Uint8Array(64 << 20).fill(1))` to a peer that does not read adds 60 MiB to
 * `process.memoryUsage.rss()` on Bun, and nothing on Deno and Node.
 *
 * @module
 */
import { writeSync } from "node:fs";
import process from "node:process";
import type { Duplex } from "node:stream";

/**
 * Hands the first of some bytes to the system, at least one of them.
 *
 * @param bytes that stay as they are until it resolves
 * @param took told how many it took
 * @returns resolves when it may be called again
 */
export type HandOver = (bytes: Uint8Array, took: (count: number) => void) => Promise<void>;

/** Bytes that are handed over at once: then it is the turn of others, and progress is reported. */
const TURN_BYTES = 1024 * 1024;

/** Bytes that the stream of `node:net` is given where the system takes nothing now. */
const PIECE_BYTES = 64 * 1024;

/** Fewer bytes go through the stream: a system call of their own would cost more than it gains. */
const DIRECT_BYTES = 16 * 1024;

/**
 * Gives the way past a socket's stream; to be used only while nothing waits in that stream.
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
      // Let others have their turn: a peer that reads as fast as this writes would keep them
      // waiting for ever.
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

/**
 * Writes what the system takes now, and returns how many bytes that was; 0 if it has no room, or if
 * the write failed, for then the stream tells why.
 */
function writeNow(socket: Duplex, bytes: Uint8Array): number {
  // On Windows `writeSync` takes the numbers of files, which are not those of sockets.
  if (bytes.length < DIRECT_BYTES || process.platform === "win32") return 0;
  // Looked up at each write: the number of a socket that was closed soon belongs to another.
  const fd = (socket as { _handle?: { readonly fd?: number } })._handle?.fd ?? -1;
  if (fd < 0) return 0;
  try {
    return writeSync(fd, bytes);
  } catch {
    return 0;
  }
}
