/**
 * A connection to a server, as an SDK makes it: tries to connect again and again, and waits while
 * the server is slow.
 *
 * @module
 */
import type { Socket } from "node:net";
import { dialRetrying, whileTaken } from "./node_dial.ts";

/** What an SDK says first: version 1 of the protocol. */
const HANDSHAKE = Uint8Array.of(1, 0, ...new TextEncoder().encode("rerun"));

/**
 * Bytes that are handed to the system at once: over a slow link larger pieces would hide that bytes
 * flow.
 */
const PIECE_BYTES = 256 * 1024;

/** A connection to a server. */
export interface SdkSocket {
  /** Resolves when there is room for more: waits as long as bytes flow, and a while without any. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the sending, and waits as `write` does until the server has taken all and closed. */
  finish(): Promise<void>;
  destroy(): void;
}

/**
 * Connects and shakes hands; tries again until the time is up.
 *
 * @param timeoutMs how long connecting may take, and later each wait in which no byte flows, in
 * milliseconds
 * @throws {RerelayError} if there is no server within that time
 */
export function connectRetrying(
  host: string,
  port: number,
  timeoutMs: number,
): Promise<SdkSocket> {
  return dialRetrying(host, port, timeoutMs, async (connected) => {
    const socket = sdkSocket(connected, timeoutMs);
    await socket.write(HANDSHAKE);
    return socket;
  });
}

function sdkSocket(socket: Socket, timeoutMs: number): SdkSocket {
  const began = performance.now();
  const ended = Promise.withResolvers<void>();
  let failure: Error | undefined;
  let closed = false;
  let wake = () => {};
  socket.on("error", (error) => failure ??= error);
  socket.on("close", () => {
    closed = true;
    wake();
    ended.resolve();
  });
  // The server never writes, but the end of the connection is seen only if somebody reads.
  socket.resume();
  const broken = () => failure ?? Object.assign(new Error("closed"), { code: "EPIPE" });
  return {
    async write(bytes) {
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
        if (closed || failure !== undefined) throw broken();
        if (socket.write(bytes.subarray(at, at + PIECE_BYTES))) continue;
        const drained = new Promise<void>((resolve) => {
          wake = resolve;
          socket.once("drain", resolve);
        });
        await whileTaken(socket, drained, { timeoutMs, began });
        socket.off("drain", wake);
      }
      if (closed || failure !== undefined) throw broken();
    },
    async finish() {
      socket.end();
      await whileTaken(socket, ended.promise, { timeoutMs, began });
      if (failure !== undefined) throw failure;
    },
    destroy: () => void socket.destroy(),
  };
}
