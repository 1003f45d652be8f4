import type { CallField, CallSink, CallStream } from "../../../lib/comms/grpc/call_stream.ts";
import { concat } from "../../encoding/rrd_builder.ts";
import { framesOf } from "./frames.ts";

/** A stream of HTTP/2 without HTTP/2: keeps what is answered, and counts what is consumed. */
export class MemoryStream implements CallStream {
  readonly headers: ReadonlyMap<string, string>;
  sink: CallSink | undefined;
  onRoom: (() => void) | undefined;
  /** What was answered, as far as it went. */
  response: Record<string, string> | undefined;
  trailers: Record<string, string> | undefined;
  written: Uint8Array[] = [];
  /** Where the reader has a place for what is written; the rest waits. */
  window = Infinity;
  queuedBytes = 0;
  isWritable = true;
  isWide = false;
  /** Bytes that came and were not consumed. */
  held = 0;
  readonly #ended = Promise.withResolvers<void>();

  constructor(path: string, headers: Record<string, string> = {}) {
    const all = {
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      ...headers,
    };
    this.headers = new Map(Object.entries(all));
  }

  /** Resolves when the answer is over. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** The messages of the answer. */
  get messages(): Uint8Array[] {
    return framesOf(concat(...this.written));
  }

  /** `grpc-status`, and what it says. */
  get status(): [number, string] {
    const { "grpc-status": status, "grpc-message": text = "" } = this.trailers ?? {};
    return [Number(status), text];
  }

  /** Sends a piece of the request's body. */
  send(bytes: Uint8Array): void {
    this.held += bytes.length;
    if (this.sink === undefined) throw new Error("nobody takes it");
    // Of bytes that nobody needs the memory is used again.
    const own = bytes.slice();
    if (this.sink.data(own) === false) own.fill(0xee);
  }

  finish(): void {
    this.sink?.end(new Map());
  }

  leave(): void {
    this.isWritable = false;
    this.sink?.gone(8, "the peer reset the stream");
    this.onRoom?.();
  }

  /** The reader takes what waits. */
  take(): void {
    this.queuedBytes = 0;
    this.onRoom?.();
  }

  consume(bytes: number): void {
    this.held -= bytes;
    if (this.held < 0) throw new Error("more was consumed than came");
  }

  widen(): void {
    this.isWide = true;
  }

  respond(fields: readonly CallField[], isEnd = false): void {
    if (this.response !== undefined) return;
    this.response = Object.fromEntries(fields);
    if (isEnd) this.end();
  }

  write(bytes: Uint8Array): void {
    if (this.response === undefined || !this.isWritable) throw new Error("not now");
    this.written.push(bytes.slice());
    this.window -= bytes.length;
    if (this.window < 0) this.queuedBytes += bytes.length;
  }

  end(trailers: readonly CallField[] = []): void {
    if (!this.isWritable) throw new Error("ended twice");
    this.isWritable = false;
    this.trailers = Object.fromEntries(trailers);
    this.#ended.resolve();
  }
}
