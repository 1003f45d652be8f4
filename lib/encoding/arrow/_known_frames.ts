/**
 * Remembers frames of Arrow data that were found sound.
 *
 * A flood of small chunks has the same few frames again and again, which differ only in texts: the
 * chunk's id, a size. Comparing them takes a fraction of the time that checking them takes. Memory
 * is bounded: peers can fill it with useless frames, and do no other harm.
 *
 * @module
 */
import type { Offsets } from "./_arrow_batch.ts";
import type { Column } from "./_arrow_columns.ts";
import { BytePattern } from "../byte_pattern.ts";
import { TEXT } from "./_flatbuffers.ts";
import type { MetadataPlace } from "./_ipc_message.ts";

/** Longer metadata, in bytes, usually comes with more data, and is checked each time. */
const MAX_BYTES = 8 * 1024;
/** How many columns a schema may have to be kept, children included. */
const MAX_COLUMNS = 256;
/** How many lengths of schemas are kept apart; the first one added is forgotten first. */
const MAX_LENGTHS = 32;
/** How many schemas of one length are kept. */
const MAX_OF_LENGTH = 4;
/** How many record batches of one schema are kept. */
const MAX_BATCHES = 2;

/** Metadata with the bits in it that may differ. */
interface Metadata {
  readonly length: number;
  readonly pattern: BytePattern;
}

/** A schema in which some bytes are only text. */
export interface KnownSchema extends Metadata {
  readonly columns: readonly Column[];
  readonly batches: KnownBatch[];
}

/** A record batch of a schema. */
export interface KnownBatch extends Metadata {
  /** Offsets that must be checked in each batch. */
  readonly offsets: readonly Offsets[];
  /** Length of its data in bytes. */
  readonly bodyBytes: number;
}

/** The frames that were added last. */
export class KnownFrames {
  readonly #schemas = new Map<number, KnownSchema[]>();

  /** Whether metadata is short enough to be kept. */
  takes({ start, end }: MetadataPlace): boolean {
    return end - start <= MAX_BYTES && (end - start) % 4 === 0;
  }

  /** A schema that was added and equals this one, except for ASCII text. */
  schema(ipc: Uint8Array, place: MetadataPlace): KnownSchema | undefined {
    return findLike(this.#schemas.get(place.end - place.start) ?? [], ipc, place);
  }

  /**
   * Adds a schema that was found sound.
   *
   * @param ipc an Arrow IPC stream
   * @param place of the schema in it
   * @param reads how the check has read each byte
   * @param columns what it has found
   * @returns `undefined` if there are too many columns
   */
  addSchema(
    ipc: Uint8Array,
    place: MetadataPlace,
    reads: Uint8Array,
    columns: readonly Column[],
  ): KnownSchema | undefined {
    // Counted, for many columns may be the same place in the metadata.
    if (count(columns) > MAX_COLUMNS) return undefined;
    const bytes = ipc.subarray(place.start, place.end);
    // Text stays valid UTF-8 if ASCII is replaced by ASCII.
    const masks = reads.map((read, i) => read === TEXT && bytes[i]! < 0x80 ? 0x80 : 0xff);
    const schema = { ...metadata(bytes, masks), columns, batches: [] };
    const known = this.#schemas.get(bytes.length) ?? [];
    push(known, schema, MAX_OF_LENGTH);
    this.#schemas.set(bytes.length, known);
    if (this.#schemas.size > MAX_LENGTHS) {
      this.#schemas.delete(this.#schemas.keys().next().value!);
    }
    return schema;
  }

  /** A record batch that was added, byte for byte. */
  batch(
    { batches }: KnownSchema,
    ipc: Uint8Array,
    place: MetadataPlace,
  ): KnownBatch | undefined {
    return findLike(batches, ipc, place);
  }

  /** Adds a record batch that was found sound. */
  addBatch(
    { batches }: KnownSchema,
    ipc: Uint8Array,
    { start, end }: MetadataPlace,
    found: Pick<KnownBatch, "offsets" | "bodyBytes">,
  ): void {
    const masks = new Uint8Array(end - start).fill(0xff);
    push(batches, { ...metadata(ipc.subarray(start, end), masks), ...found }, MAX_BATCHES);
  }
}

function metadata(bytes: Uint8Array, masks: Uint8Array): Metadata {
  return { length: bytes.length, pattern: new BytePattern(bytes, masks) };
}

function findLike<T extends Metadata>(
  known: readonly T[],
  ipc: Uint8Array,
  { start, end }: MetadataPlace,
): T | undefined {
  if (known.length === 0) return undefined;
  const view = new DataView(ipc.buffer, ipc.byteOffset + start, end - start);
  return known.find(({ length, pattern }) => length === end - start && pattern.matches(view, 0));
}

function count(columns: readonly Column[]): number {
  return columns.reduce((sum, { children }) => sum + count(children), columns.length);
}

/** Adds an item, and drops the oldest if there are more than `max`. */
function push<T>(items: T[], item: T, max: number): void {
  items.push(item);
  if (items.length > max) items.shift();
}
