/**
 * One recording that a command writes.
 *
 * @module
 */
import type { RrdHeader } from "../../encoding/rrd_header.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { RrdPart } from "../../encoding/rrd/part.ts";
import { RrdConcat } from "../../encoding/rrd/rrd_concat.ts";
import { escapeText } from "../../base/escape.ts";
import type { CliProcess } from "../process.ts";
import type { Output } from "./output.ts";

/** Messages on their way into an output. */
export class RecordingFile {
  readonly #concat = new RrdConcat();
  #empty: RrdHeader | undefined;
  /** How many were written. */
  messages = 0;

  /**
   * @param path as it is shown, `-` for standard output
   * @param output takes the bytes
   */
  constructor(readonly path: string, readonly output: Output) {}

  /** How many headers stand in it: more than one is more than Rerun reads of a file. */
  get headers(): number {
    return this.#concat.headers;
  }

  /** Writes what a part of another recording holds. */
  async add(part: RrdPart): Promise<void> {
    if (part.kind === "header") this.#empty ??= part.header;
    if (part.kind === "message") await this.write(part.msg);
  }

  /** Writes a message. */
  async write({ encoded }: LogMsg): Promise<void> {
    this.messages++;
    for (const bytes of this.#concat.message(encoded)) await this.output.write(bytes);
  }

  /** Ends the recording, and says so where Rerun would show only a part of it. */
  async finish(process: CliProcess): Promise<void> {
    for (const bytes of this.#concat.end(this.#empty)) await this.output.write(bytes);
    await this.output.finish();
    if (this.headers < 2) return;
    const name = this.path === "-" ? "the output" : escapeText(this.path);
    process.stderr(
      `warning: ${name} has ${this.headers} encodings one after another: Rerun reads all of them ` +
        "from standard input, of a file only the first\n",
    );
  }
}
