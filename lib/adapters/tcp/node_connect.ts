/**
 * The SDK's end of a connection: tries again while connecting, waits while the server is slow.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import { reason, RerelayError } from "../../base/errors.ts";
import { LinkPatience } from "./link_patience.ts";
import { unreadBytes } from "./unread_bytes.ts";

/** As SDKs do it. */
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 3000;

/** What an SDK says first: version 1 of the protocol. */
const HANDSHAKE = Uint8Array.of(1, 0, ...new TextEncoder().encode("rerun"));

/** As much is handed to the system at once: over a slow link larger pieces would hide that bytes flow. */
const PIECE_BYTES = 256 * 1024;
/** How often the end of a slow server is looked for. */
const LOOK_EVERY_MS = 250;

/** A connection to a server. */
export interface SdkSocket {
  /** Resolves when there is room for more; waits for that as long as bytes flow. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the sending, and waits until the server has taken all and closed, as long as bytes flow. */
  finish(): Promise<void>;
  destroy(): void;
}

/**
 * Connects and shakes hands; tries again until the time is up.
 *
 * @param timeoutMs for that, in milliseconds, and later for each wait in which no byte flows
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
      const connected = await tryConnect(host, port, until - performance.now());
      const socket = sdkSocket(connected, timeoutMs);
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

function sdkSocket(socket: Socket, timeoutMs: number): SdkSocket {
  const began = performance.now();
  const ports = { local: socket.localPort ?? 0, remote: socket.remotePort ?? 0 };
  let failure: Error | undefined;
  let closed = false;
  let wake = () => {};
  /** Of the wait that is under way. */
  let patience: LinkPatience | undefined;
  const look = async () => {
    const asked = patience;
    if (asked === undefined) return;
    const unread = await unreadBytes(ports);
    const left = unread === undefined ? undefined : unread + socket.writableLength;
    if (closed || patience !== asked || !asked.isOver(left, performance.now())) return;
    failure ??= new RerelayError(
      `The server took nothing for ${timeoutMs / 1000} s and did not close (--timeout)`,
    );
    socket.destroy();
    wake();
  };
  const timer = setInterval(() => void look(), Math.min(LOOK_EVERY_MS, timeoutMs / 4));
  socket.on("error", (error) => failure ??= error);
  socket.on("close", () => {
    closed = true;
    clearInterval(timer);
    wake();
  });
  // The server never writes; its end is seen only if somebody reads.
  socket.resume();
  const broken = () => failure ?? Object.assign(new Error("closed"), { code: "EPIPE" });
  const waitFor = async (end: Promise<void>) => {
    const now = performance.now();
    patience = new LinkPatience(timeoutMs, now - began, now);
    await end;
    patience = undefined;
  };
  return {
    async write(bytes) {
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
        if (closed || failure !== undefined) throw broken();
        if (socket.write(bytes.subarray(at, at + PIECE_BYTES))) continue;
        await waitFor(
          new Promise<void>((resolve) => {
            wake = resolve;
            socket.once("drain", resolve);
          }),
        );
        socket.off("drain", wake);
      }
      if (closed || failure !== undefined) throw broken();
    },
    async finish() {
      const ended = new Promise<void>((resolve) => wake = resolve);
      socket.end();
      if (!closed) await waitFor(ended);
      if (failure !== undefined) throw failure;
    },
    destroy: () => void socket.destroy(),
  };
}
