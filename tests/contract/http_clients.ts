/** Clients that the HTTP contract is tested with: bare sockets, for what a runtime's own would hide. */
import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { Buffer } from "node:buffer";
import type { NetAddr } from "../../lib/base/net_addr.ts";

/** A connection that keeps what came. */
export interface BareClient {
  readonly socket: Socket;
  /** What came so far, as Latin-1. */
  text(): string;
  /** Waits until what came matches. */
  until(pattern: RegExp): Promise<string>;
  /** Resolves when it is closed, whoever closed it. */
  readonly closed: Promise<void>;
}

/** Connects, and sends something. */
export async function dialBare({ hostname, port }: NetAddr, sent = ""): Promise<BareClient> {
  const socket = connect({ host: hostname, port });
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => {}); // a reset; `closed` tells
  await once(socket, "connect");
  let text = "";
  let onData = () => {};
  socket.on("data", (bytes: Uint8Array) => {
    text += Buffer.from(bytes).toString("latin1");
    onData();
  });
  if (sent !== "") socket.write(sent);
  return {
    socket,
    text: () => text,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        onData = () => pattern.test(text) && resolve(text);
        onData();
        closed.then(() => reject(new Error(`closed after ${JSON.stringify(text.slice(0, 300))}`)));
      }),
    closed,
  };
}

/** A request with these lines, and an empty one behind them. */
export function lines(...all: string[]): string {
  return [...all, "", ""].join("\r\n");
}

/** What asks for a WebSocket, with compression offered as browsers do. */
export const UPGRADE = [
  "Upgrade: websocket",
  "Connection: keep-alive, Upgrade",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
];

/** A frame as clients send it. */
export function clientFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const mask = [1, 2, 3, 4];
  const masked = payload.map((byte, i) => byte ^ mask[i % 4]!);
  const length = payload.length < 126
    ? [payload.length]
    : [126, payload.length >> 8, payload.length & 255];
  length[0]! |= 0x80;
  return Uint8Array.of(0x80 | opcode, ...length, ...mask, ...masked);
}

/** A frame behind which more of its message follows. */
export function unfinishedFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const frame = clientFrame(opcode, payload);
  frame[0]! &= 0x7f;
  return frame;
}

/** A WebSocket client of the runtime, with the messages and the end it saw. */
export class WebClient {
  readonly messages: Uint8Array[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly opened: Promise<void>;
  readonly #socket: WebSocket;
  #onMessage = () => {};

  constructor({ hostname, port }: NetAddr, path = "/") {
    this.#socket = new WebSocket(`ws://${hostname}:${port}${path}`);
    this.#socket.binaryType = "arraybuffer";
    const opened = Promise.withResolvers<void>();
    this.opened = opened.promise;
    this.#socket.onopen = () => opened.resolve();
    this.#socket.onerror = () => opened.reject(new Error("the WebSocket failed"));
    this.opened.catch(() => {});
    this.#socket.onmessage = ({ data }) => {
      this.messages.push(new Uint8Array(data as ArrayBuffer));
      this.#onMessage();
    };
    this.closed = new Promise((resolve) =>
      this.#socket.onclose = ({ code, reason }) => resolve({ code, reason })
    );
  }

  /** Waits for so many messages in all. */
  async received(count: number): Promise<readonly Uint8Array[]> {
    await new Promise<void>((resolve, reject) => {
      this.#onMessage = () => this.messages.length >= count && resolve();
      this.#onMessage();
      this.closed.then((end) => reject(new Error(`closed: ${JSON.stringify(end)}`)));
    });
    return this.messages;
  }

  close(): void {
    this.#socket.close();
  }
}
