/**
 * One `.rrd` file being written, as `NAME.part` until it is closed: small messages gathered, large
 * ones written directly, cut back to its last whole message when the disk fails.
 *
 * @module
 */
import type { FileAdapter, WritableFile } from "../adapters/types.ts";
import { endMarker } from "../encoding/rrd_encode.ts";
import { decodeRrdHeader, type RrdHeader, type RrdVersion } from "../encoding/rrd_header.ts";
import { FileExists, reason } from "../errors.ts";
import type { Tally } from "./sink.ts";

/** Behind the name of a file that is being written. */
export const PART_SUFFIX = ".part";

/** Room for small messages that are written together. */
const GATHER_BYTES = 256 * 1024;

/** From here on copying costs more than a write of its own. */
const DIRECT_BYTES = 64 * 1024;

/** What an empty recording begins with: that of the last SDK that spoke TCP. */
const EMPTY_HEADER = decodeRrdHeader(
  Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 1, 0, 0),
);

/** How a file is finished. */
export interface RrdWriterOptions {
  readonly adapter: FileAdapter;
  /** Whether a file that has its name by then is replaced. */
  readonly replace: boolean;
  /** Whether it is on the disk before it gets its name. */
  readonly sync: boolean;
}

/** Where a file is written to. */
export interface RrdTarget {
  /** Its name once it is closed. */
  readonly path: string;
  /** Its name until then; the same for a device or pipe, which has no other. */
  readonly written: string;
  readonly file: WritableFile;
}

/** Writes messages of one encoding; sequential, the caller awaits what is returned. */
export class RrdWriter {
  /** That of the first message. */
  header: RrdHeader | undefined;
  /** Set once the disk failed: the file is closed, nothing is taken any more. */
  error: unknown;
  /** Messages that are in the file, without those that only make it open alone. */
  readonly written = { messages: 0, bytes: 0 };

  #buffer: Uint8Array | undefined;
  #used = 0;
  #pending = { messages: 0, bytes: 0, modern: false };
  /** Length of the file up to its last whole message. */
  #size = 0;
  /** Whether a message of SDK 0.19 or later is in the file. */
  #modern = false;
  #dirty = false;
  #syncing: Promise<void> | undefined;
  #syncError: unknown;

  /** Its name once it is closed. */
  readonly path: string;
  /** Whether it has that name now. */
  renamed = false;
  readonly #isDevice: boolean;
  readonly #file: WritableFile;

  constructor(readonly target: RrdTarget, readonly options: RrdWriterOptions) {
    this.path = target.path;
    this.#isDevice = target.path === target.written;
    this.#file = target.file;
  }

  /** Length of the file with what was gathered, in bytes. */
  get size(): number {
    return this.#size + this.#used;
  }

  /** Messages that were gathered and not yet written. */
  get pendingMessages(): number {
    return this.#pending.messages;
  }

  /**
   * Takes a message; its bytes are not kept once this resolves.
   *
   * @param header it came under
   * @param bytes with the message's own header
   * @param counts `false` for one that is in an earlier part already
   * @returns `undefined` if it was only gathered, else the writing; resolves to what was lost
   */
  add(
    header: RrdHeader,
    bytes: Uint8Array,
    counts = true,
  ): Promise<Tally | undefined> | undefined {
    if (this.header === undefined) {
      this.header = header;
      this.#gather(header.bytes);
    }
    const small = bytes.length < DIRECT_BYTES;
    if (small && this.#used + bytes.length > GATHER_BYTES) {
      return this.#makeRoom(header, bytes, counts);
    }
    this.#count(header, bytes, counts);
    if (!small) return this.#writeOut(bytes);
    this.#gather(bytes);
    return undefined;
  }

  /** Writes what was gathered; resolves to what was lost. */
  flush(): Promise<Tally | undefined> | undefined {
    return this.#used === 0 && this.#syncError === undefined ? undefined : this.#writeOut();
  }

  /** Puts what was written on the disk. Never rejects: a failure shows at the next flush. */
  sync(): Promise<void> {
    if (!this.#dirty || this.#isDevice || this.error !== undefined) {
      return this.#syncing ?? Promise.resolve();
    }
    this.#dirty = false;
    const next = () => this.#file.sync();
    this.#syncing = (this.#syncing?.then(next) ?? next()).catch((error) => {
      this.#syncError ??= error;
    });
    return this.#syncing;
  }

  /**
   * Writes the end marker, closes the file and gives it its name; one without a message becomes an
   * empty recording.
   *
   * @throws whatever the disk says; the file then keeps the name it was written under
   */
  async close(): Promise<void> {
    if (this.error !== undefined) return;
    this.error = new Error("closed");
    try {
      if (this.header === undefined) {
        await this.#file.write(EMPTY_HEADER.bytes);
        await this.#file.write(endMarker(EMPTY_HEADER));
      } else if (this.#modern) await this.#file.write(endMarker(this.header));
      await this.#syncing;
      if (this.#syncError !== undefined) throw this.#syncError;
      if (this.options.sync && !this.#isDevice) await this.#file.sync();
    } finally {
      await this.#file.close();
    }
    await this.#rename();
  }

  async #makeRoom(
    header: RrdHeader,
    bytes: Uint8Array,
    counts: boolean,
  ): Promise<Tally | undefined> {
    const lost = await this.#writeOut();
    if (lost !== undefined) {
      return counts ? { messages: lost.messages + 1, bytes: lost.bytes + bytes.length } : lost;
    }
    this.#count(header, bytes, counts);
    this.#gather(bytes);
    return undefined;
  }

  #count(header: RrdHeader, bytes: Uint8Array, counts: boolean): void {
    this.#pending.modern ||= !isBefore019(header.version);
    if (!counts) return;
    this.#pending.messages++;
    this.#pending.bytes += bytes.length;
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
      if (this.#syncError !== undefined) throw this.#syncError;
      if (this.#used > 0) await this.#file.write(this.#buffer!.subarray(0, this.#used));
      if (direct !== undefined) await this.#file.write(direct);
    } catch (error) {
      await this.#fail(error);
      return pending;
    } finally {
      this.#used = 0;
    }
    this.#dirty = true;
    this.#size = size;
    this.#modern ||= pending.modern;
    this.written.messages += pending.messages;
    this.written.bytes += pending.bytes;
    return undefined;
  }

  /** A full disk still lets a file be cut, and often takes the few bytes of the marker. */
  async #fail(error: unknown): Promise<void> {
    this.error = error;
    await this.#syncing;
    try {
      await this.#file.truncate(this.#size);
      if (this.#modern) await this.#file.write(endMarker(this.header!));
    } catch (second) {
      this.#addError("its end could not be mended", second);
    }
    try {
      await this.#file.close();
    } catch (second) {
      this.#addError("it could not be closed", second);
    }
    try {
      // One without a message would only be in the way, of the next try as well.
      if (this.#size === 0 && !this.#isDevice) {
        await this.options.adapter.remove(this.target.written);
      } else await this.#rename();
    } catch (second) {
      this.#addError("it could not be renamed", second);
    }
  }

  async #rename(): Promise<void> {
    if (this.#isDevice) return;
    const { adapter, replace } = this.options;
    if (!replace && await adapter.exists(this.path)) throw new FileExists(this.path);
    await adapter.rename(this.target.written, this.path);
    this.renamed = true;
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
