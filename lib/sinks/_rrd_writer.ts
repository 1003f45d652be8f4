/**
 * One `.rrd` file being written: small messages gathered, large ones written directly, cut back to
 * its last whole message when the disk fails.
 *
 * @module
 */
import type { WritableFile } from "../adapters/types.ts";
import { endMarker } from "../encoding/rrd_encode.ts";
import { decodeRrdHeader, type RrdHeader, type RrdVersion } from "../encoding/rrd_header.ts";
import { reason } from "../errors.ts";
import type { Tally } from "./sink.ts";

/** Room for small messages that are written together. */
const GATHER_BYTES = 256 * 1024;

/** From here on copying costs more than a write of its own. */
const DIRECT_BYTES = 64 * 1024;

/** What an empty recording begins with: that of the last SDK that spoke TCP. */
const EMPTY_HEADER = decodeRrdHeader(
  Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 1, 0, 0),
);

/** Writes messages of one encoding; sequential, the caller awaits what is returned. */
export class RrdWriter {
  /** That of the first message. */
  header: RrdHeader | undefined;
  /** Set once the disk failed: the file is closed, nothing is taken any more. */
  error: unknown;
  /** Messages that are in the file. */
  readonly written = { messages: 0, bytes: 0 };

  #buffer: Uint8Array | undefined;
  #used = 0;
  #pending = { messages: 0, bytes: 0, modern: false };
  /** Length of the file up to its last whole message. */
  #size = 0;
  /** Whether a message of SDK 0.19 or later is in the file. */
  #modern = false;

  constructor(readonly path: string, readonly file: WritableFile) {}

  /**
   * Takes a message; its bytes are not kept once this resolves.
   *
   * @param header it came under
   * @param bytes with the message's own header
   * @returns `undefined` if it was only gathered, else the writing; resolves to what was lost
   */
  add(header: RrdHeader, bytes: Uint8Array): Promise<Tally | undefined> | undefined {
    if (this.header === undefined) {
      this.header = header;
      this.#gather(header.bytes);
    }
    const small = bytes.length < DIRECT_BYTES;
    if (small && this.#used + bytes.length > GATHER_BYTES) return this.#makeRoom(header, bytes);
    this.#count(header, bytes);
    if (!small) return this.#writeOut(bytes);
    this.#gather(bytes);
    return undefined;
  }

  /** Writes what was gathered; resolves to what was lost. */
  flush(): Promise<Tally | undefined> | undefined {
    return this.#used === 0 ? undefined : this.#writeOut();
  }

  /**
   * Writes the end marker and closes the file; one without a message becomes an empty recording.
   *
   * @throws whatever the disk says
   */
  async close(): Promise<void> {
    if (this.error !== undefined) return;
    try {
      if (this.header === undefined) {
        await this.file.write(EMPTY_HEADER.bytes);
        await this.file.write(endMarker(EMPTY_HEADER));
      } else if (this.#modern) await this.file.write(endMarker(this.header));
    } finally {
      await this.file.close();
    }
  }

  async #makeRoom(header: RrdHeader, bytes: Uint8Array): Promise<Tally | undefined> {
    const lost = await this.#writeOut();
    if (lost !== undefined) {
      return { messages: lost.messages + 1, bytes: lost.bytes + bytes.length };
    }
    this.#count(header, bytes);
    this.#gather(bytes);
    return undefined;
  }

  #count(header: RrdHeader, bytes: Uint8Array): void {
    this.#pending.messages++;
    this.#pending.bytes += bytes.length;
    this.#pending.modern ||= !isBefore019(header.version);
  }

  #gather(bytes: Uint8Array): void {
    this.#buffer ??= new Uint8Array(GATHER_BYTES);
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  async #writeOut(direct?: Uint8Array): Promise<Tally | undefined> {
    const pending = this.#pending;
    this.#pending = { messages: 0, bytes: 0, modern: false };
    const size = this.#size + this.#used + (direct?.length ?? 0);
    try {
      if (this.#used > 0) await this.file.write(this.#buffer!.subarray(0, this.#used));
      if (direct !== undefined) await this.file.write(direct);
    } catch (error) {
      await this.#fail(error);
      return pending;
    } finally {
      this.#used = 0;
    }
    this.#size = size;
    this.#modern ||= pending.modern;
    this.written.messages += pending.messages;
    this.written.bytes += pending.bytes;
    return undefined;
  }

  /** A full disk still lets a file be cut, and often takes the few bytes of the marker. */
  async #fail(error: unknown): Promise<void> {
    this.error = error;
    try {
      await this.file.truncate(this.#size);
      if (this.#modern) await this.file.write(endMarker(this.header!));
    } catch (second) {
      this.#addError("its end could not be mended", second);
    }
    try {
      await this.file.close();
    } catch (second) {
      this.#addError("it could not be closed", second);
    }
  }

  #addError(what: string, second: unknown): void {
    const text = `${reason(this.error)}; ${what}: ${reason(second)}`;
    this.error = new AggregateError([this.error, second], text);
  }
}

/** Rerun's readers before 0.19 fail on an end marker, so files of that time have none. */
function isBefore019(version: RrdVersion): boolean {
  return version.major === 0 && version.minor < 19;
}
