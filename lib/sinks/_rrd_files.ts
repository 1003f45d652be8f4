/**
 * A file for each encoding that comes: the named one for the first, siblings for the others.
 *
 * @module
 */
import type { FileAdapter, WritableFile } from "../adapters/types.ts";
import { type RrdHeader, type RrdVersion, rrdVersionText } from "../encoding/rrd_header.ts";
import { FileExists, reason } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Encoded } from "../log_msg.ts";
import { RrdWriter } from "./_rrd_writer.ts";
import type { SavedFile } from "./rrd_file.ts";
import type { Tally } from "./sink.ts";

/** Sibling names that are tried before giving up. */
const MAX_SIBLING = 1000;

/** A peer chooses the versions it sends; this many are reported. */
const MAX_WARNED_VERSIONS = 16;

/** What {@linkcode RrdFiles} needs. */
export interface RrdFilesOptions {
  readonly path: string;
  readonly force: boolean;
  readonly adapter: FileAdapter;
  readonly log: Log;
}

/** The files of one sink; sequential, the caller awaits what is returned. */
export class RrdFiles {
  /** What no file took. */
  readonly lost = { messages: 0, bytes: 0 };

  readonly #options: RrdFilesOptions;
  readonly #writers: RrdWriter[];
  /** By serializer and compression; `undefined` where no file could be made. */
  readonly #byEncoding = new Map<string, RrdWriter | undefined>();
  /** Saves the look-up for one message after the other of the same encoding. */
  #last:
    | (Pick<RrdHeader, "serializer" | "compression"> & { writer: RrdWriter | undefined })
    | undefined;
  readonly #warnedVersions = new Set<string>();
  #warnedForm = false;

  constructor(options: RrdFilesOptions, first: WritableFile) {
    this.#options = options;
    this.#writers = [new RrdWriter(options.path, first)];
  }

  /** The files and what is in them. */
  get saved(): SavedFile[] {
    return this.#writers.map(({ path, written }) => ({ path, ...written }));
  }

  /** Counts what is not written. */
  lose({ messages, bytes }: Tally): void {
    this.lost.messages += messages;
    this.lost.bytes += bytes;
  }

  /** Puts a message into the file of its encoding. */
  add(encoded: Encoded): Promise<void> | undefined {
    if (encoded.form !== "rrd") {
      this.#loseForeign(encoded);
      return undefined;
    }
    const { header, bytes } = encoded;
    const last = this.#last;
    if (header.serializer === last?.serializer && header.compression === last.compression) {
      return this.#put(last.writer, header, bytes);
    }
    const key = `${header.serializer} ${header.compression}`;
    if (this.#byEncoding.size === 0) this.#byEncoding.set(key, this.#writers[0]);
    if (this.#byEncoding.has(key)) {
      const writer = this.#byEncoding.get(key);
      const { serializer, compression } = header;
      this.#last = { serializer, compression, writer };
      return this.#put(writer, header, bytes);
    }
    return this.#openSibling(header).then((writer) => {
      this.#byEncoding.set(key, writer);
      return this.#put(writer, header, bytes);
    });
  }

  /** Writes what the files gathered. */
  async flush(): Promise<void> {
    for (const writer of this.#writers) {
      const lost = await writer.flush();
      if (lost !== undefined) this.#reportFailure(writer, lost);
    }
  }

  /**
   * Finishes all files.
   *
   * @throws the first error, after all were tried
   */
  async close(): Promise<void> {
    const closed = await Promise.allSettled(this.#writers.map((writer) => writer.close()));
    for (const result of closed) if (result.status === "rejected") throw result.reason;
  }

  #put(
    writer: RrdWriter | undefined,
    header: RrdHeader,
    bytes: Uint8Array,
  ): Promise<void> | undefined {
    if (writer === undefined || writer.error !== undefined) {
      this.lose({ messages: 1, bytes: bytes.length });
      return undefined;
    }
    if (writer.header !== undefined) this.#warnVersion(writer, writer.header, header.version);
    return writer.add(header, withEqualLengths(header, bytes))?.then((lost) => {
      if (lost !== undefined) this.#reportFailure(writer, lost);
    });
  }

  async #openSibling(header: RrdHeader): Promise<RrdWriter | undefined> {
    const { path, force, adapter, log } = this.#options;
    const encoding = `${header.serializer}, compression ${header.compression}`;
    try {
      const [name, file] = await this.#createSibling(path, force, adapter);
      log.write("info", `Messages encoded as ${encoding} go to ${name}: a file holds one encoding`);
      const writer = new RrdWriter(name, file);
      this.#writers.push(writer);
      return writer;
    } catch (error) {
      const text = `No file could be made beside ${path} for messages encoded as ${encoding}, ` +
        `they are lost: ${reason(error)}`;
      log.write("error", text, { path });
      return undefined;
    }
  }

  async #createSibling(
    path: string,
    force: boolean,
    adapter: FileAdapter,
  ): Promise<[string, WritableFile]> {
    for (let number = this.#writers.length + 1;; number++) {
      const name = siblingPath(path, number);
      try {
        return [name, await adapter.create(name, force ? "replace" : "new")];
      } catch (error) {
        // One left by an earlier run is not ours to replace, nor a reason to lose messages.
        if (!(error instanceof FileExists) || number === MAX_SIBLING) throw error;
      }
    }
  }

  #warnVersion(writer: RrdWriter, { version: first }: RrdHeader, version: RrdVersion): void {
    if (isSame(version, first) || this.#warnedVersions.size >= MAX_WARNED_VERSIONS) return;
    const text = rrdVersionText(version);
    if (this.#warnedVersions.has(text)) return;
    this.#warnedVersions.add(text);
    this.#options.log.write(
      "warn",
      `${writer.path} begins with data of Rerun ${
        rrdVersionText(first)
      }; data of ${text} goes under ` +
        "the same header, which readers may warn of",
      { path: writer.path, version: text },
    );
  }

  #reportFailure({ path, error, written }: RrdWriter, lost: Tally): void {
    this.lose(lost);
    this.#options.log.write(
      "error",
      `${path} ends after ${written.messages} messages (${written.bytes} bytes), the next ` +
        `${lost.messages} (${lost.bytes} bytes) and all that follow are lost: ${reason(error)}`,
      { path, messages: lost.messages, bytes: lost.bytes },
    );
  }

  #loseForeign({ form, bytes }: Encoded): void {
    this.lose({ messages: 1, bytes: bytes.length });
    if (this.#warnedForm) return;
    this.#warnedForm = true;
    const text = `${this.#options.path} takes no messages of form ${form}: they are lost`;
    this.#options.log.write("error", text, { path: this.#options.path });
  }
}

/** `a.rrd` and 2 make `a.2.rrd`; a name without that ending gets it. */
export function siblingPath(path: string, number: number): string {
  return `${path.replace(/\.rrd$/i, "")}.${number}.rrd`;
}

function isSame(a: RrdVersion, b: RrdVersion): boolean {
  return a.major === b.major && a.minor === b.minor && a.patch === b.patch && a.meta === b.meta;
}

/** Uncompressed msgpack declares its length twice, and readers differ in which one they take. */
function withEqualLengths(header: RrdHeader, bytes: Uint8Array): Uint8Array {
  if (header.serializer !== "msgpack" || header.compression !== "off") return bytes;
  let equal = true;
  for (let i = 0; i < 4; i++) equal &&= bytes[i] === bytes[i + 4];
  if (equal) return bytes;
  const copy = bytes.slice();
  copy.copyWithin(0, 4, 8);
  return copy;
}
