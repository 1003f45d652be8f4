import type { Field, H2Peer, H2Stream } from "../h2/types.ts";
import { decodeText, GrpcError, STATUS, type Status } from "./status.ts";

/** When so many bytes wait to be sent, whoever logs has to wait. */
const MAX_QUEUED_BYTES = 256 * 1024;

/** Limit of an answer, in bytes; it has one empty message, or none. */
const MAX_ANSWER_BYTES = 64 * 1024;

const METHOD = "/rerun.sdk_comms.v1alpha1.MessageProxyService/WriteMessages";

/** The SDK's half of a `WriteMessages` call. */
export class WriteClient {
  readonly #stream: H2Stream;
  readonly #answered = Promise.withResolvers<void>();
  #status: number | undefined;
  #text = "";
  #error: Error | undefined;
  #answerBytes = 0;
  #isFinished = false;

  /**
   * Begins the call.
   *
   * @param peer a client's connection, on which a stream may be opened
   * @param authority host and port of the server
   * @param metadata further header fields
   * @throws {GrpcError} UNAVAILABLE if the server takes no calls
   */
  constructor(peer: H2Peer, authority: string, metadata: readonly Field[] = []) {
    const stream = peer.request([
      [":method", "POST"],
      [":scheme", "http"],
      [":path", METHOD],
      [":authority", authority],
      ["content-type", "application/grpc"],
      ["te", "trailers"],
      ["user-agent", "rerelay"],
      ...metadata,
    ]);
    if (stream === undefined) throw new GrpcError(STATUS.UNAVAILABLE, "it takes no calls now");
    this.#stream = stream;
    this.#answered.promise.catch(() => {});
    stream.sink = {
      headers: (headers) => {
        const status = headers.get(":status");
        if (status !== "200") this.#fail(STATUS.UNAVAILABLE, `it answers with HTTP ${status}`);
        this.#note(headers);
      },
      data: (bytes) => {
        stream.consume(bytes.length);
        this.#answerBytes += bytes.length;
        if (this.#answerBytes <= MAX_ANSWER_BYTES) return false;
        this.#fail(STATUS.INTERNAL, "its answer is none of this call");
        stream.reset(CANCEL);
        return false;
      },
      end: (trailers) => {
        this.#note(trailers);
        // Of what it has not seen an answer acknowledges nothing.
        const isEarly = !this.#isFinished || stream.queuedBytes > 0;
        if (isEarly && this.#status === STATUS.OK) {
          this.#fail(STATUS.UNAVAILABLE, "it answered before all was sent");
        }
        this.#over();
      },
      gone: (_code, reason) => {
        this.#fail(STATUS.UNAVAILABLE, reason);
        this.#over();
      },
    };
  }

  /** Gives the call up. */
  cancel(): void {
    this.#stream.reset(CANCEL);
  }

  /** Bytes that wait to be sent. */
  get queuedBytes(): number {
    return this.#stream.queuedBytes;
  }

  /**
   * Sends a message.
   *
   * @param frame in parts, whose bytes may not change until the call is over
   * @returns resolves when there is room for more
   * @throws {GrpcError} if the server has ended the call, with what it says
   */
  async send(frame: readonly Uint8Array[]): Promise<void> {
    this.#check();
    for (const part of frame) this.#stream.write(part);
    while (this.#stream.isWritable && this.#stream.queuedBytes > MAX_QUEUED_BYTES) {
      await new Promise<void>((resolve) => this.#stream.onRoom = resolve);
    }
    this.#check();
  }

  /**
   * Says that all was sent.
   *
   * @returns resolves when the server has taken all of it
   * @throws {GrpcError} if it has not, with what it says
   */
  async finish(): Promise<void> {
    this.#isFinished = true;
    this.#stream.end();
    await this.#answered.promise;
  }

  /**
   * Takes note of the status that the server sends, in its trailers or in its only header fields.
   */
  #note(fields: ReadonlyMap<string, string>): void {
    const status = fields.get("grpc-status");
    if (status === undefined) return;
    this.#status = Number(status);
    this.#text = decodeText(fields.get("grpc-message") ?? "");
  }

  #fail(status: Status, text: string): void {
    this.#error ??= new GrpcError(status, text);
  }

  #over(): void {
    if (this.#status === undefined) {
      this.#fail(STATUS.INTERNAL, "it ended the call without a status");
    } else if (this.#status !== STATUS.OK) {
      // The status that a server sent counts more than how the connection ended afterwards.
      this.#error = new GrpcError(
        this.#status as Status,
        this.#text || `gRPC status ${this.#status}`,
      );
    }
    if (this.#error === undefined) this.#answered.resolve();
    else this.#answered.reject(this.#error);
    this.#stream.onRoom?.();
  }

  #check(): void {
    if (this.#error !== undefined) throw this.#error;
    if (!this.#stream.isWritable) {
      throw new GrpcError(STATUS.UNAVAILABLE, "it ended the call before all was sent");
    }
  }
}

/** Error code of HTTP/2 for a stream that nobody wants any more. */
const CANCEL = 8;
