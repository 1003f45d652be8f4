/**
 * Writes standard output and standard error without blocking the program: a terminal that is held
 * (Ctrl-S, a hanging ssh connection) and a pipe that nobody reads may take nothing for hours.
 *
 * @module
 */
import { SYSTEM_CLOCK } from "../../base/clock.ts";
import { constants, fstatSync, openSync, write as writeInThread, writeSync } from "node:fs";
import process from "node:process";
import { isatty } from "node:tty";
import { detectRuntime } from "../../adapters/runtime.ts";

/**
 * Writes the beginning of some bytes; one call at a time.
 *
 * @param bytes at least one
 * @returns how many the system took, once it did
 */
export type OutputWriter = (bytes: Uint8Array) => Promise<number>;

/**
 * When a held terminal is tried again, in milliseconds: doubling from the first pause to the last.
 */
const ASK_AGAIN_MS = { first: 10, last: 250 };

/**
 * Gives the way to write that does not block the program.
 *
 * Deno writes in threads, of which it starts as many as are needed. Bun has few for all files, two
 * on two cores: one that hangs at a terminal and one that waits for a named pipe to open would stop
 * all saving. To see it, after `mkfifo p`: `for (const _ of "12") fs.open("p", "r", () => {});
 * fs.writeFile("q", "a", console.log)` of `node:fs` never writes on Bun. So terminals are asked
 * first whether they take something, and pipes and sockets are left to Bun's streams, which do not
 * block.
 *
 * @param fd 1 or 2
 */
export function outputWriter(fd: 1 | 2): OutputWriter {
  if (detectRuntime() === "deno") {
    const { stdout, stderr } = Deno;
    return (bytes) => (fd === 1 ? stdout : stderr).write(bytes);
  }
  if (isatty(fd)) return terminalWriter(fd) ?? threadWriter(fd);
  return isStreamed(fd) ? streamWriter(fd) : threadWriter(fd);
}

function isStreamed(fd: number): boolean {
  try {
    const kind = fstatSync(fd);
    return kind.isFIFO() || kind.isSocket();
  } catch {
    return false; // it is closed, which the write will tell
  }
}

/**
 * Writes to a terminal that is opened anew, without blocking: changing the shared one would change
 * it for other programs, too.
 */
function terminalWriter(fd: number): OutputWriter | undefined {
  let own: number;
  try {
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
    own = openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    return undefined; // not Linux, or the terminal is another user's
  }
  return async (bytes) => {
    for (let ms = ASK_AGAIN_MS.first;; ms = Math.min(2 * ms, ASK_AGAIN_MS.last)) {
      try {
        return writeSync(own, bytes);
      } catch (error) {
        if ((error as { code?: string }).code !== "EAGAIN") throw error;
      }
      await SYSTEM_CLOCK.delay(ms);
    }
  };
}

function threadWriter(fd: number): OutputWriter {
  return (bytes) =>
    new Promise((resolve, reject) =>
      writeInThread(fd, bytes, (error, count) => error ? reject(error) : resolve(count))
    );
}

function streamWriter(fd: 1 | 2): OutputWriter {
  const stream = fd === 1 ? process.stdout : process.stderr;
  let failure: Error | undefined;
  // Without a listener an error would end the program.
  stream.on("error", (error) => failure ??= error);
  return (bytes) =>
    new Promise((resolve, reject) => {
      if (failure !== undefined) return reject(failure);
      stream.write(bytes, (error) => error ? reject(error) : resolve(bytes.length));
    });
}
