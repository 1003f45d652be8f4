/**
 * Messages of a file → the footer that lists its chunks: "chunk index", as Rerun calls it.
 *
 * @module
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { RerelayError } from "../base/errors.ts";
import type { StoreId } from "../encoding/message_parts.ts";
import { encodeStoreId } from "../encoding/protobuf/encode_log_msg.ts";
import { bytes, ProtobufBudget, readMessage } from "../encoding/protobuf/protobuf.ts";
import { readStoreId, readStoreInfo } from "../encoding/protobuf/protobuf_store_info.ts";
import { encodeTrailer, footerHash } from "../encoding/rrd/footer.ts";
import { isNewProtobuf } from "../encoding/rrd/same_encoding.ts";
import { type RrdHeader, rrdVersionText } from "../encoding/rrd_header.ts";
import { type MessagePart, MoreOfMessage, readEnvelope } from "./_envelope.ts";
import { ChunkReader, MoreBytes } from "./chunk_reader.ts";
import { Manifest } from "./manifest.ts";
import { manifestColumns } from "./manifest_columns.ts";
import { recordingSchema } from "./manifest_schema.ts";
import { encodeTable } from "./manifest_table.ts";
import { NotIndexable } from "./not_indexable.ts";

/** Most cells (chunks times columns) of all tables, since readers keep all of them in memory. */
export const MAX_CELLS: number = 16 * 1024 * 1024;

const [SET_STORE_INFO, ARROW_MSG, BLUEPRINT_ACTIVATION] = [1, 2, 3];
/** Most recordings and blueprints of an index, whose applications are remembered. */
const MAX_STORES = 10_000;
const END_HEADER_BYTES = 16;

/** A footer that can be written at any place of a file. */
export interface Footer {
  /** How many chunks it lists, of how many recordings and blueprints. */
  readonly chunks: number;
  readonly stores: number;
  /** The end header, the footer and its trailer. */
  readonly bytes: number;
  /**
   * Gives the bytes that end a file.
   *
   * @param at where the end header is to stand, behind all messages
   */
  endAt(at: number): FooterEnd;
}

/** The end of a file: an end header with the length of the footer, and the bytes behind it. */
export interface FooterEnd {
  /**
   * The end header: 16 bytes to be written last, since a file with zeros in their place has no
   * footer.
   */
  readonly header: Uint8Array;
  readonly rest: readonly Uint8Array[];
}

/** Builds the footer of a file from its messages; of chunks it keeps their ids, places, lengths and times. */
export class FooterBuilder {
  readonly #reader = new ChunkReader();
  readonly #manifests = new Map<string, Manifest>();
  /** Applications by store, for messages that do not name theirs. */
  readonly #applications = new Map<string, string>();
  #last: { readonly bytes: Uint8Array; readonly manifest: Manifest } | undefined;
  #cells = 0;

  /**
   * Begins with the header of the file.
   *
   * @param maxCells most cells of an index; above that there is none
   * @throws {NotIndexable} if messages under it can't be indexed
   */
  constructor(header: RrdHeader, readonly maxCells: number = MAX_CELLS) {
    if (!isNewProtobuf(header)) {
      throw new NotIndexable(`it is in the form of SDK ${rrdVersionText(header.version)}`, "form");
    }
  }

  /**
   * Takes a message.
   *
   * @param kind its kind, from its own header
   * @param part the message, or the parts of it that were read
   * @param offset where it begins in the file, behind its own header
   * @returns what more of it is needed, if anything: call again with that
   * @throws {NotIndexable} if it can't be indexed, so that the file can't have an index
   */
  add(kind: number, part: MessagePart, offset: number): MoreOfMessage | undefined {
    try {
      if (kind === SET_STORE_INFO) return this.#announced(part);
      if (kind === ARROW_MSG) return this.#chunk(part, offset);
    } catch (cause) {
      if (cause instanceof NotIndexable || !(cause instanceof RerelayError)) throw cause;
      const why = `the message at byte ${offset}: ${cause.message}`;
      throw new NotIndexable(why, "chunks", { cause });
    }
    if (kind !== BLUEPRINT_ACTIVATION) throw new NotIndexable(`a message of unknown kind ${kind}`);
    return undefined;
  }

  /**
   * The footer of all messages.
   *
   * @throws {NotIndexable} if there can't be one
   */
  async finish(): Promise<Footer> {
    const pieces: Uint8Array[] = [];
    let chunks = 0;
    for (const manifest of this.#manifests.values()) {
      chunks += manifest.chunks;
      pieces.push(...await encodeManifest(manifest));
    }
    return { chunks, stores: this.#manifests.size, ...placed(pieces) };
  }

  #announced({ length, front }: MessagePart): MoreOfMessage | undefined {
    if (front.length < length) return new MoreOfMessage("front", length);
    const budget = new ProtobufBudget();
    readMessage(front.subarray(0, length), "SetStoreInfo", {
      2: bytes((value) => {
        const { applicationId, storeId } = readStoreInfo(value, "v1alpha1", budget);
        const key = JSON.stringify([storeId.kind, storeId.id]);
        if (this.#applications.size >= MAX_STORES && !this.#applications.has(key)) {
          throw tooManyStores();
        }
        this.#applications.set(key, applicationId);
      }),
    }, budget);
    return undefined;
  }

  #chunk(part: MessagePart, offset: number): MoreOfMessage | undefined {
    const envelope = readEnvelope(part);
    if (envelope instanceof MoreOfMessage) return envelope;
    const { storeId, compression, uncompressedSize, arrowAt, arrowBytes, chunkId: id } = envelope;
    // Readers find chunks by their ids, and Rerun's own readers fail without them.
    if (id === undefined) {
      throw new NotIndexable(
        "its chunks have no ids, as SDK 0.23 left them out: rrd migrate adds them, and so does " +
          "--rrd-format current",
        "ids",
      );
    }
    const facts = this.#reader.read({
      bytes: part.front.subarray(arrowAt, arrowAt + arrowBytes),
      ...{ storedBytes: arrowBytes, compression, uncompressedSize },
    });
    if (facts instanceof MoreBytes) return new MoreOfMessage("front", arrowAt + facts.bytes);
    // Some of Rerun's tools use the id in the chunk, others that of the message, so they must be
    // equal.
    if (facts.id === undefined || !isSame(facts.id, id)) {
      throw new NotIndexable(
        `the chunk at byte ${offset} has another id than the message around it`,
      );
    }
    const manifest = this.#manifestOf(storeId);
    const before = manifest.chunks * manifest.columnCount;
    manifest.add(facts, { id, offset, size: part.length, uncompressedSize });
    this.#cells += manifest.chunks * manifest.columnCount - before;
    if (this.#cells > this.maxCells) {
      const why =
        `it has so many chunks and columns that the index would have over ${this.maxCells} cells`;
      throw new NotIndexable(`${why}: rerun rrd optimize makes fewer of them`, "size");
    }
    return undefined;
  }

  #manifestOf(storeId: Uint8Array): Manifest {
    const last = this.#last;
    if (last !== undefined && isSame(last.bytes, storeId)) return last.manifest;
    const read = readStoreId(storeId, "v1alpha1", new ProtobufBudget());
    const { kind, id } = read;
    const applicationId = read.applicationId ??
      this.#applications.get(JSON.stringify([kind, id]));
    if (applicationId === undefined) {
      const shown = JSON.stringify(id.slice(0, 100));
      throw new NotIndexable(`no message says of which application the recording ${shown} is`);
    }
    const key = JSON.stringify([kind, id, applicationId]);
    let manifest = this.#manifests.get(key);
    if (manifest === undefined) {
      if (this.#manifests.size >= MAX_STORES) throw tooManyStores();
      const whole: StoreId = { kind, id, applicationId };
      this.#manifests.set(key, manifest = new Manifest(whole));
    }
    this.#last = { bytes: storeId.slice(), manifest };
    return manifest;
  }
}

/** One `RrdManifest` of a `RrdFooter`. */
async function encodeManifest(manifest: Manifest): Promise<Uint8Array[]> {
  const schema = await recordingSchema(manifest);
  const table = encodeTable(manifestColumns(manifest), manifest.chunks);
  const part = new BinaryWriter();
  part.tag(1, WireType.Varint).int32(1);
  part.tag(2, WireType.LengthDelimited).uint32(table.payload.length);
  const behind = new BinaryWriter().tag(3, WireType.Varint).int32(2)
    .tag(4, WireType.Varint).uint64(table.uncompressedSize).finish();
  const partHead = part.finish();
  const partBytes = partHead.length + table.payload.length + behind.length;
  const head = new BinaryWriter();
  // The store id, with its protobuf tag and length.
  head.raw(encodeStoreId(manifest.storeId, "v1alpha1"));
  head.tag(2, WireType.LengthDelimited).fork();
  head.tag(1, WireType.LengthDelimited).bytes(schema.stream).join();
  head.tag(3, WireType.LengthDelimited).bytes(schema.sha256);
  head.tag(4, WireType.LengthDelimited).uint32(partBytes);
  const headBytes = head.finish();
  const outer = new BinaryWriter().tag(1, WireType.LengthDelimited)
    .uint32(headBytes.length + partBytes).finish();
  return [outer, headBytes, partHead, table.payload, behind];
}

function placed(pieces: readonly Uint8Array[]): Pick<Footer, "bytes" | "endAt"> {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const hash = footerHash(pieces);
  return {
    bytes: END_HEADER_BYTES + length + encodeTrailer(0, 0, 0).length,
    endAt(at) {
      const header = new Uint8Array(END_HEADER_BYTES);
      new DataView(header.buffer).setBigUint64(8, BigInt(length), true);
      return { header, rest: [...pieces, encodeTrailer(at + END_HEADER_BYTES, length, hash)] };
    },
  };
}

function tooManyStores(): NotIndexable {
  return new NotIndexable(`it has more than ${MAX_STORES} recordings and blueprints`, "size");
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
