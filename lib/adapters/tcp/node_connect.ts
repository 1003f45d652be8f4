/**
 * The SDK's end of a connection: tries again while connecting, waits while the server is slow.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import { reason, RerelayError } from "../../base/errors.ts";

/** As SDKs do it. */
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 3000;

/** What an SDK says first: version 1 of the protocol. */
const HANDSHAKE = Uint8Array.of(1, 0, ...new TextEncoder().encode("rerun"));

/** A connection to a server. */
export interface SdkSocket {
  /** Resolves when there is room for more. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the sending, and waits until the server has taken all and closed. */
  finish(timeoutMs: number): Promise<void>;
  destroy(): void;
}

/**
 * Connects and shakes hands; tries again until the time is up.
 *
 * @throws {RerelayError} if there is no server within that time
 */
export async function connectRetrying(
  host: string,
  port: number,
  timeoutMs: number,
): Promise<SdkSocket> {
  const until = performance.now() + timeoutMs;
  for (let pause = FIRST_RETRY_MS;; pause = Math.min(2 * pause, LAST_RETRY_MS)) {
    try {
      const socket = sdkSocket(await tryConnect(host, port, until - performance.now()));
      await socket.write(HANDSHAKE);
      return socket;
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

function tryConnect(host: string, port: number, timeoutMs: number): Promise<Socket> {
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

function sdkSocket(socket: Socket): SdkSocket {
  let failure: Error | undefined;
  let closed = false;
  let wake = () => {};
  socket.on("error", (error) => failure ??= error);
  socket.on("close", () => {
    closed = true;
    wake();
  });
  // The server never writes; its end is seen only if somebody reads.
  socket.resume();
  const broken = () => failure ?? Object.assign(new Error("closed"), { code: "EPIPE" });
  return {
    async write(bytes) {
      if (closed || failure !== undefined) throw broken();
      if (socket.write(bytes)) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
        socket.once("drain", resolve);
      });
      if (closed || failure !== undefined) throw broken();
    },
    async finish(timeoutMs) {
      const ended = new Promise<void>((resolve) => wake = resolve);
      socket.end();
      const timer = setTimeout(() => {
        failure ??= new RerelayError(
          `The server did not take everything within ${timeoutMs / 1000} s (--timeout)`,
        );
        socket.destroy();
        wake();
      }, timeoutMs);
      if (!closed) await ended;
      clearTimeout(timer);
      if (failure !== undefined) throw failure;
    },
    destroy: () => void socket.destroy(),
  };
}
