/** A TCP proxy that takes down what SDKs send through it. */
import { Buffer } from "node:buffer";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { within } from "./child.ts";

/** How long the server may take to read what was sent, in milliseconds. */
const FINISH_MS = 60_000;

/** One connection of an SDK. */
export interface Recording {
  /** What was passed on, in order. */
  readonly chunks: Uint8Array[];
  readonly bytes: number;
  /** Set if the server closed the connection first, or a socket failed. */
  readonly fault?: string;
}

/** What can be told to a proxy. */
export interface ProxyOptions {
  /** The first connection is broken after so many bytes. */
  readonly breakAfter?: number;
}

/** Stands between SDKs and a server. */
export class RecordingProxy implements AsyncDisposable {
  readonly recordings: Recording[] = [];
  #finished = 0;
  #onFinished = () => {};
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Starts one in front of a server on this port of 127.0.0.1. */
  static async start(target: number, options: ProxyOptions = {}): Promise<RecordingProxy> {
    const server = createServer({ pauseOnConnect: true });
    const proxy = new RecordingProxy(server);
    server.on("connection", (socket) => proxy.#pass(socket, target, options));
    const listening = Promise.withResolvers<void>();
    server.once("error", listening.reject);
    server.listen(0, "127.0.0.1", listening.resolve);
    await listening.promise;
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves when something has come over so many connections. */
  async begun(connections: number): Promise<void> {
    while ((this.recordings[connections - 1]?.bytes ?? 0) === 0) {
      if (!this.#server.listening) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /**
   * Waits until the server has read so many connections to their ends.
   *
   * @throws if it takes too long, if there are more, or if one failed
   */
  async finish(connections: number): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#onFinished = () => {
      if (this.#finished >= connections) done.resolve();
    };
    this.#onFinished();
    const what = `${connections} connections to end (${this.#finished} have)`;
    await within(FINISH_MS, what, done.promise);
    if (this.recordings.length !== connections) {
      throw new Error(`${this.recordings.length} connections instead of ${connections}`);
    }
    for (const { fault } of this.recordings) if (fault) throw new Error(fault);
  }

  /** Cuts all connections and stops listening. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const closed = Promise.withResolvers<void>();
    this.#server.close(() => closed.resolve());
    await closed.promise;
  }

  #pass(sdk: Socket, target: number, { breakAfter = Infinity }: ProxyOptions): void {
    const recording: { chunks: Uint8Array[]; bytes: number; fault?: string } = {
      chunks: [],
      bytes: 0,
    };
    this.recordings.push(recording);
    const limit = this.recordings.length === 1 ? breakAfter : Infinity;
    const number = this.recordings.length;
    const server = connect({ host: "127.0.0.1", port: target });
    let sdkEnded = false;
    sdk.on("data", (data) => {
      const chunk = new Uint8Array(data as Uint8Array).subarray(0, limit - recording.bytes);
      recording.chunks.push(chunk);
      recording.bytes += chunk.length;
      if (!server.write(chunk)) sdk.pause();
      if (recording.bytes < limit) return;
      sdkEnded = true;
      sdk.destroy();
      server.end();
    });
    server.on("drain", () => sdk.resume());
    // gRPC has answers; they are few.
    server.on("data", (data) => void (sdk.destroyed || sdk.write(data)));
    server.on("connect", () => sdk.resume());
    sdk.on("end", () => {
      sdkEnded = true;
      server.end();
    });
    sdk.on("error", (error) => {
      recording.fault = `connection ${number}, at the SDK: ${error.message}`;
      server.destroy();
    });
    server.on("error", (error) => {
      recording.fault ??= `connection ${number}, at the server: ${error.message}`;
    });
    server.on("close", () => {
      if (!sdkEnded) recording.fault ??= `the server closed connection ${number}`;
      sdk.destroy();
      this.#finished++;
      this.#onFinished();
    });
    for (const socket of [sdk, server]) {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    }
  }
}

/** All that a connection passed on. */
export function recordedBytes({ chunks }: Recording): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks));
}
