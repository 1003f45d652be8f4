import type { CallField, CallSink, CallStream } from "./call_stream.ts";
import { isGrpcWeb, WEB_CONTENT_TYPE, webTrailers } from "./web_body.ts";

/** Error code of HTTP/2 for an answer that nobody wants any more. */
const CANCEL = 8;
/** Bytes of a request's body that are handed on before those before them were consumed. */
const WINDOW_BYTES = 256 * 1024;

/**
 * Takes a gRPC-web request as a call.
 *
 * @param request a `POST` of that content type
 * @param accept what takes calls
 * @returns its response, once there is one
 *
 * @example
 * ```ts ignore
 * const response = await answerWeb(request, (stream) => service.accept(stream, peer));
 * ```
 */
export function answerWeb(
  request: Request,
  accept: (stream: CallStream) => void,
): Promise<Response> {
  const call = new WebCall(request);
  accept(call);
  void call.read();
  return call.response;
}

/** A request of HTTP/1.1 that takes the place of a stream of HTTP/2. */
class WebCall implements CallStream {
  readonly headers: ReadonlyMap<string, string>;
  sink: CallSink | undefined;
  onRoom: (() => void) | undefined;
  queuedBytes = 0;
  readonly #request: Request;
  readonly #response = Promise.withResolvers<Response>();
  readonly #queue: Uint8Array[] = [];
  #isEnded = false;
  #isGone = false;
  #hasResponded = false;
  /** Lets the reader of the answer go on; set while it waits. */
  #pull: (() => void) | undefined;
  /** Bytes that came and were not consumed. */
  #held = 0;
  #consumed: (() => void) | undefined;

  constructor(request: Request) {
    this.#request = request;
    const headers = new Map<string, string>(request.headers);
    headers.set(":method", request.method);
    headers.set(":path", new URL(request.url).pathname);
    if (isGrpcWeb(headers.get("content-type"))) headers.set("content-type", "application/grpc");
    this.headers = headers;
  }

  get response(): Promise<Response> {
    return this.#response.promise;
  }

  get isWritable(): boolean {
    return !this.#isEnded && !this.#isGone;
  }

  /** Reads the body, and hands it on no faster than it is consumed. */
  async read(): Promise<void> {
    try {
      const reader = this.#request.body?.getReader();
      while (reader !== undefined && !this.#isGone) {
        const { done, value } = await reader.read();
        if (done) break;
        // The call is over already, and the rest of its body is not wanted.
        if (!this.isWritable) return await reader.cancel();
        this.#held += value.length;
        if (this.sink === undefined) this.#held = 0;
        else this.sink.data(value);
        while (this.#held > WINDOW_BYTES && !this.#isGone) {
          await new Promise<void>((resolve) => this.#consumed = resolve);
        }
      }
      if (this.isWritable) this.sink?.end(new Map());
    } catch (error) {
      // What becomes of the body of a call that is over changes nothing in its answer.
      if (this.isWritable) this.#leave(error instanceof Error ? error.message : String(error));
    }
  }

  consume(bytes: number): void {
    this.#held -= bytes;
    this.#consumed?.();
  }

  /** Does nothing: there is only one call on the connection, which holds back no other. */
  widen(): void {}

  respond(fields: readonly CallField[], isEnd = false): void {
    if (this.#hasResponded) return;
    this.#hasResponded = true;
    const headers = new Headers();
    let status = 200;
    for (const [name, value] of fields) {
      if (name === ":status") status = Number(value);
      else headers.set(name, name === "content-type" ? WEB_CONTENT_TYPE : value);
    }
    if (isEnd) this.#isEnded = true;
    const body = isEnd ? null : this.#body();
    this.#response.resolve(new Response(body, { status, headers }));
  }

  write(bytes: Uint8Array): void {
    if (!this.isWritable || bytes.length === 0) return;
    this.#queue.push(bytes);
    this.queuedBytes += bytes.length;
    this.#pull?.();
  }

  end(trailers?: readonly CallField[]): void {
    if (trailers !== undefined) this.write(webTrailers(trailers));
    this.#isEnded = true;
    this.#pull?.();
  }

  #body(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        while (this.#queue.length === 0 && !this.#isEnded && !this.#isGone) {
          await new Promise<void>((resolve) => this.#pull = resolve);
        }
        this.#pull = undefined;
        if (this.#isGone) return;
        const next = this.#queue.shift();
        if (next === undefined) return controller.close();
        this.queuedBytes -= next.length;
        controller.enqueue(next);
        this.onRoom?.();
      },
      cancel: () => this.#leave("The answer is not read any more"),
    }, { highWaterMark: 0 });
  }

  #leave(reason: string): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#consumed?.();
    this.#pull?.();
    this.sink?.gone(CANCEL, reason);
    this.onRoom?.();
    // Nobody waits for this answer any more, but the promise of it must resolve.
    this.respond([[":status", "499"]], true);
  }
}
