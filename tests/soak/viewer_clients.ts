/** Viewers that only count: cheap enough that fifty of them measure the server and not themselves. */
import { connect, type Socket } from "node:net";

/** How a viewer reads. */
export type Pace = "all" | "nothing" | "a byte a second";

const REQUEST = [
  "GET / HTTP/1.1",
  "Host: localhost",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "",
  "",
].join("\r\n");

/** One viewer. */
export class CountingViewer {
  /** Whole messages so far. */
  messages = 0;
  /** Frames that are no messages, such as pings. */
  others = 0;
  bytes = 0;
  /** The longest time between two reads that had something, in milliseconds. */
  maxGapMs = 0;
  /** When it ended, in milliseconds since the beginning. */
  maxGapAtMs = 0;
  #begun = performance.now();
  /** From the connect to the first message, in milliseconds. */
  firstMs: number | undefined;
  closedAt: number | undefined;
  readonly closed: Promise<void>;
  readonly socket: Socket;
  readonly #started = performance.now();
  #last: number | undefined;
  #isOpen = false;
  #isTrickling = false;
  /** Payload of the frame that is being read. */
  #missing = 0;
  #rest = new Uint8Array(0);
  #onProgress = () => {};

  constructor(port: number, readonly pace: Pace = "all") {
    this.socket = connect(port, "127.0.0.1", () => this.socket.write(REQUEST));
    this.socket.on("error", () => {});
    this.closed = new Promise((resolve) =>
      this.socket.once("close", () => {
        this.closedAt = performance.now();
        resolve();
      })
    );
    this.socket.on("data", (bytes: Uint8Array) => this.#read(bytes));
  }

  /** Forgets the gap so far: what follows is measured. */
  begin(): void {
    this.maxGapMs = 0;
    this.#last = this.#begun = performance.now();
  }

  /** Waits for so many messages, but not for ever. */
  async received(count: number, ms: number): Promise<void> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Error(`a viewer got ${this.messages} of ${count} messages`)),
      ms,
    );
    const done = new Promise<void>((resolve) => {
      this.#onProgress = () => this.messages >= count && resolve();
      this.#onProgress();
    });
    const gone = this.closed.then(() => {
      throw new Error(`a viewer was closed after ${this.messages} of ${count} messages`);
    });
    try {
      await Promise.race([done, gone, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #read(bytes: Uint8Array): void {
    const now = performance.now();
    if (this.#last !== undefined && now - this.#last > this.maxGapMs) {
      this.maxGapMs = now - this.#last;
      this.maxGapAtMs = now - this.#begun;
    }
    this.#last = now;
    this.bytes += bytes.length;
    if (this.pace !== "all") {
      this.socket.pause();
      if (this.pace === "a byte a second") this.#trickle();
      return;
    }
    let at = this.#isOpen ? 0 : this.#skipHead(bytes);
    while (at < bytes.length) {
      if (this.#missing > 0) {
        const taken = Math.min(this.#missing, bytes.length - at);
        this.#missing -= taken;
        at += taken;
        continue;
      }
      at = this.#readFrameHead(bytes, at);
    }
    this.#onProgress();
  }

  #skipHead(bytes: Uint8Array): number {
    const end = new TextDecoder("latin1").decode(bytes).indexOf("\r\n\r\n");
    if (end < 0) return bytes.length;
    this.#isOpen = true;
    return end + 4;
  }

  #readFrameHead(bytes: Uint8Array, at: number): number {
    const before = this.#rest.length;
    const head = Uint8Array.of(...this.#rest, ...bytes.subarray(at, at + 10 - before));
    const wide = head[1] === 127 ? 8 : head[1] === 126 ? 2 : 0;
    if (head.length < 2 + wide) {
      this.#rest = head;
      return bytes.length;
    }
    this.#rest = new Uint8Array(0);
    const view = new DataView(head.buffer);
    this.#missing = wide === 8
      ? Number(view.getBigUint64(2))
      : wide === 2
      ? view.getUint16(2)
      : head[1]!;
    if ((head[0]! & 15) === 2) {
      this.firstMs ??= performance.now() - this.#started;
      this.messages++;
    } else this.others++;
    return at + 2 + wide - before;
  }

  /** Once: what it reads comes to `#read` as well, and a timer for each would soon be thousands. */
  #trickle(): void {
    if (this.#isTrickling) return;
    this.#isTrickling = true;
    const timer = setInterval(() => this.socket.read(1), 1000);
    this.closed.then(() => clearInterval(timer));
  }
}
