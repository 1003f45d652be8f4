/**
 * Connects to servers, and tries again for a while.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import { reason, RerelayError } from "../../base/errors.ts";
import { LinkPatience } from "./link_patience.ts";
import { unreadBytes } from "./unread_bytes.ts";

/** The first and the longest pause between two tries, in milliseconds, as SDKs make them. */
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 3000;

/** How often the end of a slow server is looked for. */
const LOOK_EVERY_MS = 250;

/**
 * Connects; tries again until the time is up.
 *
 * @param use what is done with the connection first; where it fails, another is tried
 * @throws {RerelayError} if there is no server within that time
 */
export async function dialRetrying<T>(
  host: string,
  port: number,
  timeoutMs: number,
  use: (socket: Socket) => Promise<T> | T,
): Promise<T> {
  const until = performance.now() + timeoutMs;
  for (let pause = FIRST_RETRY_MS;; pause = Math.min(2 * pause, LAST_RETRY_MS)) {
    try {
      return await use(await dial(host, port, until - performance.now()));
    } catch (cause) {
      const left = until - performance.now();
      if (left <= 0) {
        throw new RerelayError(
          `No server takes connections at ${host}:${port} (--to, --timeout): ${reason(cause)}`,
          { cause },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(pause, left)));
    }
  }
}

/**
 * Connects, once.
 *
 * @throws {Error} what the system says, or that the server does not answer in time
 */
export function dial(host: string, port: number, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ host, port });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error("it does not answer"));
    }, Math.max(1, timeoutMs));
    socket.once("connect", () => {
      clearTimeout(timer);
      resolve(socket);
    });
    socket.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

/**
 * Waits until the server has taken all that was sent: as long as bytes flow, and a while without any.
 *
 * @param socket to the server
 * @param taken resolves when the server has taken all
 * @param options `timeoutMs` without a byte, when the connection began by `performance.now`, and how
 * many bytes wait outside of the socket
 * @throws {RerelayError} if it takes nothing for so long, and what `taken` rejects with
 */
export async function whileTaken(
  socket: Socket,
  taken: Promise<void>,
  { timeoutMs, began, queued = () => 0 }: {
    readonly timeoutMs: number;
    readonly began: number;
    readonly queued?: () => number;
  },
): Promise<void> {
  const now = performance.now();
  const patience = new LinkPatience(timeoutMs, now - began, now);
  const late = Promise.withResolvers<never>();
  let isOver = false;
  const look = async () => {
    const ports = { local: socket.localPort ?? 0, remote: socket.remotePort ?? 0 };
    const unread = await unreadBytes(ports);
    const left = unread === undefined ? undefined : unread + socket.writableLength + queued();
    if (isOver || !patience.isOver(left, performance.now())) return;
    late.reject(
      new RerelayError(
        `The server took nothing for ${timeoutMs / 1000} s and did not close (--timeout)`,
      ),
    );
  };
  const timer = setInterval(() => void look(), Math.min(LOOK_EVERY_MS, timeoutMs / 4));
  try {
    await Promise.race([taken, late.promise]);
  } finally {
    isOver = true;
    clearInterval(timer);
  }
}
