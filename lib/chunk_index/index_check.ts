/**
 * Checks whether the chunk index of a file lists the chunks that are in it.
 *
 * @module
 */
import { InvalidMessage } from "../base/errors.ts";
import type { RrdPart } from "../encoding/rrd/part.ts";
import { isNewProtobuf } from "../encoding/rrd/same_encoding.ts";
import { MESSAGE_HEADER_BYTES } from "../encoding/rrd/rrd_message.ts";
import type { Tuid } from "../encoding/tuid.ts";
import { GrowingNumbers } from "./growing.ts";
import { type ListedChunk, listedChunks, readFooter } from "./stored_footer.ts";
import { plural } from "../base/plural.ts";

/** How much the indexes of a file list. */
export interface IndexTally {
  readonly chunks: number;
  /** Recordings and blueprints. */
  readonly stores: number;
  /** Length of the footers in the file. */
  readonly bytes: number;
}

/** Compares the chunks of a file, part by part, with its index. */
export class IndexCheck {
  /** Where chunks begin, behind their own headers, in order. */
  readonly #offsets = new GrowingNumbers();
  readonly #sizes = new GrowingNumbers();
  readonly #ids: (Tuid | undefined)[] = [];
  #headerAt = 0;
  #tally: IndexTally | undefined;
  /**
   * Whether the present stream has today's form and chunks that no index has listed yet; and
   * whether an earlier stream had.
   */
  #isOpen = false;
  #isMissing = false;

  /** Whether chunks of today's form, that of SDK 0.23 and later, are in no index. */
  get isMissing(): boolean {
    return this.#isMissing || this.#isOpen;
  }

  /** How much was listed so far; `undefined` without an index. */
  get tally(): IndexTally | undefined {
    return this.#tally;
  }

  /**
   * Takes the next part of the file.
   *
   * @throws {InvalidMessage} if it is an index that lists other chunks than the file has
   */
  add(part: RrdPart): void {
    if (part.kind === "header") {
      this.#isMissing ||= this.#isOpen;
      this.#isOpen = false;
      this.#headerAt = part.offset;
      this.#offsets.length = this.#sizes.length = this.#ids.length = 0;
    } else if (part.kind === "message" && part.msg.kind === "ArrowMsg") {
      if (part.header.serializer !== "protobuf") return;
      this.#isOpen ||= isNewProtobuf(part.header);
      const head = MESSAGE_HEADER_BYTES.protobuf;
      this.#offsets.push(part.offset + head);
      this.#sizes.push(part.bytes - head);
      this.#ids.push(part.msg.chunkId);
    } else if (part.kind === "end" && part.footer !== undefined) this.#compare(part.footer);
  }

  #compare(footer: Uint8Array): void {
    const { chunks = 0, stores = 0, bytes = 0 } = this.#tally ?? {};
    const manifests = readFooter(footer);
    const listed = new Set<number>();
    for (const manifest of manifests) {
      for (const chunk of listedChunks(manifest)) {
        const place = this.#find(chunk);
        if (listed.has(place)) throw stale(`chunk ${chunk.id} twice`);
        listed.add(place);
      }
    }
    this.#isOpen = false;
    const { length } = this.#offsets;
    if (listed.size < length) throw stale(`${listed.size} of ${plural(length, "chunk")}`);
    this.#tally = {
      chunks: chunks + length,
      stores: stores + manifests.length,
      bytes: bytes + footer.length,
    };
  }

  #find({ id, offset, size }: ListedChunk): number {
    // If a file has several streams, offsets count from the beginning of each.
    let place = this.#placeOf(offset);
    if (place < 0) place = this.#placeOf(offset + this.#headerAt);
    if (place < 0) throw stale(`chunk ${id} at byte ${offset}, where none is`);
    const there = this.#sizes.at(place);
    if (there !== size) throw stale(`${plural(size, "byte")} for chunk ${id}, which has ${there}`);
    const own = this.#ids[place]?.toString().toLowerCase();
    if (own !== undefined && own !== id) {
      throw stale(`chunk ${id} at byte ${offset}, where ${own} is`);
    }
    return place;
  }

  #placeOf(offset: number): number {
    let [low, high] = [0, this.#offsets.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#offsets.at(middle) < offset) low = middle + 1;
      else high = middle;
    }
    return low < this.#offsets.length && this.#offsets.at(low) === offset ? low : -1;
  }
}

function stale(what: string): InvalidMessage {
  return new InvalidMessage(
    `The chunk index lists ${what}: rrd index renews it, unless a chunk is gone`,
  );
}
