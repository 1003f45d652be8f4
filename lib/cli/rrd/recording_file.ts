/**
 * A recording that a command writes.
 *
 * @module
 */
import type { RrdHeader } from "../../encoding/rrd_header.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { RrdPart } from "../../encoding/rrd/part.ts";
import { RrdConcat } from "../../encoding/rrd/rrd_concat.ts";
import { RerelayError } from "../../base/errors.ts";
import { escapeText } from "../../base/escape.ts";
import type { CliProcess } from "../process.ts";
import type { Output } from "./output.ts";
import { type Footer, FooterBuilder } from "../../chunk_index/footer_builder.ts";
import { NotIndexable } from "../../chunk_index/not_indexable.ts";
import { MESSAGE_HEADER_BYTES } from "../../encoding/rrd/rrd_message.ts";
import { isNewProtobuf } from "../../encoding/rrd/same_encoding.ts";

/** Why a command that was to write recordings wrote none. */
export const NOTHING_READ = "There is no recording in what was read: nothing is written";

/** Writes messages into an output, and ends it with an index of its chunks if there can be one. */
export class RecordingFile {
  readonly #concat = new RrdConcat();
  #empty: RrdHeader | undefined;
  #isDamaged = false;
  /** How many were written. */
  messages = 0;
  /** How many chunks the index lists; `undefined` if there is none. */
  indexedChunks: number | undefined;
  #bytes = 0;
  #index: FooterBuilder | undefined;
  /** Why there is no index, if one could be expected. */
  #whyNot: string | undefined;

  /**
   * @param path as it is shown, `-` for standard output
   * @param output takes the bytes
   */
  constructor(readonly path: string, readonly output: Output) {}

  /** How many headers it has: Rerun reads a file only up to the second one. */
  get headers(): number {
    return this.#concat.headers;
  }

  /** Writes what a part of another recording holds. */
  async add(part: RrdPart): Promise<void> {
    if (part.kind === "header") this.#empty ??= part.header;
    if (part.kind === "damage") this.#isDamaged = true;
    if (part.kind === "message") await this.write(part.msg);
  }

  /** Writes a message. */
  async write({ encoded }: Pick<LogMsg, "encoded">): Promise<void> {
    this.messages++;
    const { headers } = this;
    const pieces = this.#concat.message(encoded);
    if (this.headers > headers) this.#begin(encoded.header);
    for (const bytes of pieces) await this.#write(bytes);
    if (this.#index !== undefined) this.#indexed(encoded.bytes);
  }

  /**
   * Ends the recording, and warns if Rerun would show only a part of it.
   *
   * @throws {RerelayError} if there was no recording, or damage left nothing of it: an empty file would
   * replace what may be better
   */
  async finish(process: CliProcess): Promise<void> {
    if (this.messages === 0 && this.#empty === undefined) {
      throw new RerelayError(NOTHING_READ);
    }
    if (this.messages === 0 && this.#isDamaged) {
      throw new RerelayError("No message is left, and not all could be read: nothing is written");
    }
    const footer = await this.#footer();
    const plain = this.#concat.end(this.#empty);
    const end = footer?.endAt(this.#bytes);
    for (const bytes of end === undefined ? plain : [end.header, ...end.rest]) {
      await this.#write(bytes);
    }
    await this.output.finish();
    this.indexedChunks = footer?.chunks;
    const name = this.path === "-" ? "the output" : escapeText(this.path);
    if (this.#whyNot !== undefined) {
      process.stderr(`note: ${name} has no chunk index: ${escapeText(this.#whyNot)}\n`);
    }
    if (this.headers < 2) return;
    process.stderr(
      `warning: ${name} has ${this.headers} encodings one after another: Rerun reads all of them ` +
        "from standard input, of a file only the first\n",
    );
  }

  /** Begins an index, unless the data is of a form that can't have one, which needs no warning. */
  #begin(header: RrdHeader): void {
    const isFirst = this.headers === 1;
    this.#index = isFirst && isNewProtobuf(header) ? new FooterBuilder(header) : undefined;
  }

  #indexed(message: Uint8Array): void {
    const front = message.subarray(MESSAGE_HEADER_BYTES.protobuf);
    try {
      const offset = this.#bytes - front.length;
      this.#index!.add(kindOf(message), { length: front.length, front }, offset);
    } catch (error) {
      this.#notIndexable(error);
    }
  }

  async #footer(): Promise<Footer | undefined> {
    try {
      const footer = await this.#index?.finish();
      return footer?.chunks === 0 ? undefined : footer;
    } catch (error) {
      return this.#notIndexable(error);
    }
  }

  #notIndexable(error: unknown): undefined {
    if (!(error instanceof NotIndexable)) throw error;
    this.#index = undefined;
    this.#whyNot = error.why;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await this.output.write(bytes);
    this.#bytes += bytes.length;
  }
}

function kindOf(message: Uint8Array): number {
  return Number(new DataView(message.buffer, message.byteOffset).getBigUint64(0, true));
}
