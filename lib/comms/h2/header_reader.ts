import type { Abuse } from "./abuse.ts";
import { ERROR, H2Error } from "./error_codes.ts";
import { answerFields, requestFields, trailerFields } from "./field_rules.ts";
import type { WholeBlock } from "./header_block.ts";
import { HpackDecoder } from "./hpack.ts";
import { FIELD_BYTES, type Stream } from "./stream.ts";
import type { StreamTable } from "./stream_table.ts";
import type { Field, FieldMap, H2Stream } from "./types.ts";

/** What {@linkcode HeaderReader} needs. */
export interface HeaderReaderOptions {
  readonly isClient: boolean;
  readonly table: StreamTable;
  readonly maxHeaderBytes: number;
  readonly maxStreams: number;
  readonly onStream: ((stream: H2Stream) => void) | undefined;
  readonly abuse: Abuse;
}

const NO_TRAILERS: FieldMap = new Map();

/** Header blocks → requests, answers, trailers. */
export class HeaderReader {
  readonly #options: HeaderReaderOptions;
  readonly #decoder = new HpackDecoder();
  /** Whether new streams are refused, because we are leaving. */
  isLeaving = false;

  /** @param options limits, and where streams are kept */
  constructor(options: HeaderReaderOptions) {
    this.#options = options;
  }

  /**
   * Takes a block.
   *
   * @throws {H2Error} if it breaks the protocol or a limit, in a way that ends the connection
   */
  push(block: WholeBlock): void {
    const { table, isClient } = this.#options;
    const { id } = block;
    // Decoded even if it is refused: later blocks refer to the table that it changes.
    const fields = this.#decode(block.bytes);
    this.#spend(block.bytes.length, fields);
    const stream = table.get(id);
    if (stream !== undefined) {
      if (isClient && !stream.hasAnswer) this.#answer(stream, fields, block.isEnd);
      else this.#trailers(stream, fields, block.isEnd);
    } else if (isClient || id <= table.lastId) {
      if (table.resets.has(id)) return;
      if (table.isIdle(id)) {
        throw new H2Error(ERROR.PROTOCOL_ERROR, "HEADERS on a stream that was not opened");
      }
      throw new H2Error(ERROR.STREAM_CLOSED, "HEADERS on a stream that is over");
    } else this.#request(block, fields);
  }

  /** Counts the cost of a header block: its bytes as sent or as decoded, whichever are more. */
  #spend(blockBytes: number, fields: Field[] | undefined): void {
    const { maxHeaderBytes, abuse } = this.#options;
    let bytes = fields === undefined ? maxHeaderBytes : 0;
    for (const [name, value] of fields ?? []) bytes += name.length + value.length + FIELD_BYTES;
    abuse.headers.spend("header fields", Math.max(blockBytes, bytes));
  }

  #decode(bytes: Uint8Array): Field[] | undefined {
    try {
      return this.#decoder.decode(bytes, this.#options.maxHeaderBytes);
    } catch (error) {
      throw new H2Error(ERROR.COMPRESSION_ERROR, (error as Error).message);
    }
  }

  #request({ id, isEnd, dependsOnItself }: WholeBlock, fields: Field[] | undefined): void {
    const { table, maxStreams, onStream } = this.#options;
    table.lastId = id;
    if (table.size >= maxStreams || this.isLeaving) return table.refuse(id, ERROR.REFUSED_STREAM);
    if (fields === undefined) return table.refuse(id, ERROR.ENHANCE_YOUR_CALM);
    const headers = requestFields(fields);
    if (headers === undefined || dependsOnItself) return table.refuse(id, ERROR.PROTOCOL_ERROR);
    const stream = table.open(id, headers);
    if (!stream.expect(headers, isEnd)) {
      return table.reset(stream, ERROR.PROTOCOL_ERROR, "a wrong content-length");
    }
    onStream?.(stream);
    if (isEnd) table.endByPeer(stream, NO_TRAILERS);
  }

  #answer(stream: Stream, fields: Field[] | undefined, isEnd: boolean): void {
    const { table } = this.#options;
    const headers = fields && answerFields(fields);
    if (headers === undefined) {
      return table.reset(stream, ERROR.PROTOCOL_ERROR, "an answer's header fields are malformed");
    }
    // An informational answer (1xx): the real one follows.
    if (headers.get(":status")!.startsWith("1") && !isEnd) return;
    stream.hasAnswer = true;
    // The answer to HEAD declares the length of a body that it does not have.
    if (stream.headers.get(":method") !== "HEAD" && !stream.expect(headers, isEnd)) {
      return table.reset(stream, ERROR.PROTOCOL_ERROR, "a wrong content-length");
    }
    stream.sink?.headers?.(headers);
    if (isEnd) table.endByPeer(stream, NO_TRAILERS);
  }

  #trailers(stream: Stream, fields: Field[] | undefined, isEnd: boolean): void {
    const { table } = this.#options;
    if (stream.isEndedByPeer) {
      return table.reset(stream, ERROR.STREAM_CLOSED, "HEADERS behind its end");
    }
    const trailers = fields && trailerFields(fields);
    if (!isEnd || trailers === undefined) {
      return table.reset(stream, ERROR.PROTOCOL_ERROR, "trailers are malformed");
    }
    table.endByPeer(stream, trailers);
  }
}
