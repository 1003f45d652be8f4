/**
 * The end of a file: its end marker, or the list of its chunks.
 *
 * @module
 */
import type { WritableFile } from "../../../adapters/files/types.ts";
import { FileTooLarge, reason } from "../../../base/errors.ts";
import type { NotIndexable } from "../../../chunk_index/not_indexable.ts";
import { endMarker } from "../../../encoding/rrd/rrd_encode.ts";
import { isNewProtobuf } from "../../../encoding/rrd/same_encoding.ts";
import type { RrdHeader } from "../../../encoding/rrd_header.ts";
import type { ChunkIndexer, IndexEnd } from "../parts/chunk_indexer.ts";
import type { PartFacts } from "../parts/noted_part.ts";

/** Bytes of an end marker, and of the end header that replaces it. */
const MARKER_BYTES = 16;

/** Writes the end marker of a file, and then, in its place, the list of its chunks. */
export class FileEnd {
  readonly #indexer: ChunkIndexer | undefined;
  readonly #sync: boolean;
  /** Whether the list is in the file, or can't be; `undefined` before that is known. */
  #state: "ok" | "none" | undefined;
  #bytes = 0;
  #isMarked = false;
  /** Whether there was no room for an end marker. */
  isUnmarked = false;
  /** Why there is no list, if one could be expected. */
  why: string | undefined;
  /** What that is about, if a later try would have the same result. */
  about: NotIndexable["about"] | undefined;

  /**
   * @param indexer makes the list; absent if none is wanted
   * @param sync whether the list must be on the disk before its header is written
   */
  constructor(indexer: ChunkIndexer | undefined, sync: boolean) {
    this.#indexer = indexer;
    this.#sync = sync;
  }

  /**
   * Writes the end marker; one that does not fit is left out.
   *
   * @param file open, and positioned at its end
   * @param header of the file
   * @param size of the file
   * @param write writes to it
   * @throws whatever else the disk says
   */
  async mark(
    file: WritableFile,
    header: RrdHeader,
    size: number,
    write: (bytes: Uint8Array) => Promise<void>,
  ): Promise<void> {
    try {
      await write(endMarker(header));
      this.#isMarked = true;
    } catch (error) {
      if (!(error instanceof FileTooLarge)) throw error;
      this.isUnmarked = true;
      await file.truncate(size);
    }
  }

  /**
   * Writes the list behind the end marker, then turns the end marker into an end header: until then
   * readers ignore what is behind it.
   *
   * @param file open, and positioned at its end
   * @param the path that the file has now
   * @param header of the file
   * @param size of the file without its end marker
   * @throws whatever the disk says when the file is cut back to what it was
   */
  async write(file: WritableFile, path: string, header: RrdHeader, size: number): Promise<void> {
    // Older data can have no list.
    if (this.#indexer === undefined || !this.#isMarked || !isNewProtobuf(header)) return;
    const indexed = await this.#indexer.index(path);
    if (indexed.kind === "later") return;
    if (indexed.kind !== "ok") {
      if (indexed.kind === "none") {
        this.#state = "none";
        this.about = indexed.about;
      }
      this.why = indexed.why;
    } else if (indexed.end.chunks === 0) this.#state = "none";
    else if (indexed.end.messagesEnd !== size) this.why = "it is longer than was written";
    else await this.#write(file, indexed.end);
  }

  /**
   * What the index notes of a file.
   *
   * @param header of the file
   * @param plain its length without a footer
   */
  facts(header: RrdHeader, plain: number): Pick<PartFacts, "footer" | "bytes" | "plain"> {
    const isWanted = this.#indexer !== undefined && isNewProtobuf(header);
    const footer = this.#state ?? (isWanted ? "pending" : "none");
    return { footer, bytes: plain + this.#bytes, ...(this.#bytes > 0 && { plain }) };
  }

  async #write(file: WritableFile, { header, rest, messagesEnd }: IndexEnd): Promise<void> {
    let isHeaded = false;
    try {
      let bytes = 0;
      for (const piece of rest) {
        await file.write(piece);
        bytes += piece.length;
      }
      if (this.#sync) await file.sync();
      isHeaded = true;
      await file.writeAt(messagesEnd, header);
      if (this.#sync) await file.sync();
      this.#state = "ok";
      this.#bytes = bytes;
    } catch (error) {
      this.why = reason(error);
      // The end marker is not cut off: on a full disk its bytes might be taken by others at once.
      await file.truncate(messagesEnd + MARKER_BYTES);
      if (isHeaded) await file.writeAt(messagesEnd, new Uint8Array(MARKER_BYTES));
      if (this.#sync) await file.sync();
    }
  }
}
