/**
 * WebSockets that a program may hand over: those of the Web are used as they are, those of Bun and
 * hono get the same interface.
 *
 * @module
 */
import { hasMethods } from "../../base/check_arguments.ts";
import type { Clock } from "../../base/clock.ts";
import { plural } from "../../base/plural.ts";

/** The part of a WebSocket that is used, as Deno, browsers and `ws` have it. */
export interface RelayWebSocket {
  /** 0 while it connects, 1 while it is open. */
  readonly readyState: number;
  /** Bytes that were sent and are not yet handed over. */
  readonly bufferedAmount: number;
  /** Rerelay sets it to `"arraybuffer"`. */
  binaryType: string;
  /** Sends one binary message. */
  send(bytes: Uint8Array<ArrayBuffer>): void;
  /** Closes it. */
  close(code?: number, reason?: string): void;
  /** Listens to `open`, `close` and `error`. */
  addEventListener(event: "open" | "close" | "error", listener: () => void): void;
}

/** The part of Bun's `ServerWebSocket` that is used. */
export interface BunWebSocket {
  /** 1 while it is open. */
  readonly readyState: number;
  /** Bytes that were sent and are not yet handed over. */
  getBufferedAmount(): number;
  /** Sends one binary message; 0 if it was dropped. */
  sendBinary(bytes: Uint8Array<ArrayBuffer>): number;
  /** Closes it. */
  close(code?: number, reason?: string): void;
}

/** What hono's `upgradeWebSocket` hands to `onOpen`. */
export interface WrappedWebSocket {
  /** The WebSocket itself. */
  readonly raw?: unknown;
}

/** How often a socket without events is asked whether it has closed, in milliseconds. */
const CLOSED_MS = 200;

/**
 * Gives a WebSocket with the interface of the Web.
 *
 * @param given any WebSocket
 * @param delay waits between looks at sockets without events
 * @throws {TypeError} if it is not a WebSocket
 */
export function givenSocket(given: unknown, delay: Clock["delay"]): RelayWebSocket {
  const isWrapped = typeof given === "object" && given !== null && "raw" in given &&
    !hasMethods(given, "addEventListener");
  const socket = isWrapped ? given.raw : given;
  if (hasMethods(socket, "send", "addEventListener")) return socket as RelayWebSocket;
  if (hasMethods(socket, "sendBinary", "getBufferedAmount")) {
    return new BunSocket(socket as BunWebSocket, delay);
  }
  throw new TypeError(
    "relaySocket takes a WebSocket of the Web, with send() and addEventListener(), or what Bun or hono hand to the handler that opens one",
  );
}

/**
 * Bun's `ServerWebSocket`, which has no events: when it closes, Bun calls only the handlers that
 * the program passed to `Bun.serve` (https://bun.sh/docs/api/websockets), so it is asked again and
 * again.
 */
class BunSocket implements RelayWebSocket {
  binaryType = "arraybuffer";
  readonly #socket: BunWebSocket;
  readonly #delay: Clock["delay"];

  constructor(socket: BunWebSocket, delay: Clock["delay"]) {
    this.#socket = socket;
    this.#delay = delay;
  }

  get readyState(): number {
    return this.#socket.readyState;
  }

  get bufferedAmount(): number {
    return this.#socket.getBufferedAmount();
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#socket.sendBinary(bytes) !== 0 || this.readyState > 1) return;
    throw new Error(
      `Bun dropped a message of ${
        plural(bytes.length, "byte")
      }: raise backpressureLimit of its server's websocket`,
    );
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }

  addEventListener(event: "open" | "close" | "error", listener: () => void): void {
    if (event === "close") void this.#hear(listener);
  }

  async #hear(listener: () => void): Promise<void> {
    while (this.readyState <= 1) await this.#delay(CLOSED_MS);
    listener();
  }
}
