/**
 * Writes the schema message of an Arrow IPC stream; parts that occur several times are written
 * once.
 *
 * @module
 */
import { T } from "./_arrow_types.ts";
import { type FlatField, FlatWriter } from "./_flat_writer.ts";
import { type Parameters, slotsOf } from "./_type_parameters.ts";
import type { SchemaField, SchemaTag, SchemaTree, TextPlace } from "./schema_tree.ts";

/** Number of a schema in Arrow's union of headers. */
const SCHEMA_HEADER = 1;
/** The mark before a message, and its length. */
const PREFIX_BYTES = 8;

/** A schema message as it stands in an Arrow IPC stream. */
export interface EncodedSchema {
  /** The message, with the mark and the length before it; a multiple of 8 bytes. */
  readonly bytes: Uint8Array;
  /** Where the open texts begin in `bytes`, in the order of `open`. */
  readonly openAt: readonly number[];
}

/**
 * Encodes a schema message.
 *
 * @param schema what it says
 * @param open places of tags whose texts are written separately, so that others of the same length
 * can replace them
 */
export function encodeSchema(
  schema: Pick<SchemaTree, "version" | "fields" | "tags">,
  open: readonly TextPlace[] = [],
): EncodedSchema {
  const encoder = new SchemaEncoder(open);
  const metadata = encoder.encode(schema);
  const bytes = new Uint8Array(PREFIX_BYTES + metadata.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0xffffffff, true);
  view.setUint32(4, metadata.length, true);
  bytes.set(metadata, PREFIX_BYTES);
  return { bytes, openAt: open.map((place) => PREFIX_BYTES + encoder.openAt.get(place.start)!) };
}

/** A part that is written once, with all places that point to it. */
class Shared {
  readonly #items = new Map<string, { readonly refs: number[]; readonly write: () => number }>();

  constructor(readonly writer: FlatWriter) {}

  add(key: string, ref: number, write: () => number): void {
    const item = this.#items.get(key);
    if (item === undefined) this.#items.set(key, { refs: [ref], write });
    else item.refs.push(ref);
  }

  write(): void {
    for (const { refs, write } of this.#items.values()) {
      const at = write();
      for (const ref of refs) this.writer.point(ref, at);
    }
  }
}

class SchemaEncoder {
  /** Places of open texts by their present place: several tags may share one. */
  readonly openAt = new Map<number, number>();
  readonly #open: ReadonlySet<TextPlace>;
  readonly #writer = new FlatWriter();
  // In the order of writing: each may point to those below.
  readonly #parts = new Shared(this.#writer);
  readonly #tagLists = new Shared(this.#writer);
  readonly #tags = new Shared(this.#writer);
  readonly #texts = new Shared(this.#writer);

  constructor(open: readonly TextPlace[]) {
    this.#open = new Set(open);
  }

  encode({ version, fields, tags }: Pick<SchemaTree, "version" | "fields" | "tags">): Uint8Array {
    const writer = this.#writer;
    const root = writer.ref();
    let header = 0;
    writer.point(
      root,
      writer.table([
        { bytes: 2, value: version },
        { bytes: 1, value: SCHEMA_HEADER },
        { bytes: "ref", to: (at) => header = at },
        { bytes: 8, value: 0 },
      ]),
    );
    let columns = 0;
    const schema = writer.table([
      { bytes: 2, value: 0 },
      { bytes: "ref", to: (at) => columns = at },
      this.#tagList(tags),
    ]);
    writer.point(header, schema);
    this.#fields(columns, fields);
    for (const each of [this.#parts, this.#tagLists, this.#tags, this.#texts]) each.write();
    return writer.finish();
  }

  #fields(ref: number, fields: readonly SchemaField[]): void {
    const { at, refs } = this.#writer.vector(fields.length);
    this.#writer.point(ref, at);
    fields.forEach((field, i) => this.#writer.point(refs[i]!, this.#field(field)));
  }

  #field(field: SchemaField): number {
    const { name, nullable, type, parameters, dictionary, children, tags } = field;
    let below: number | undefined;
    const at = this.#writer.table([
      this.#text(name),
      { bytes: 1, value: nullable ? 1 : 0 },
      { bytes: 1, value: type },
      this.#type(type, parameters),
      dictionary && {
        bytes: "ref",
        to: (at) =>
          this.#parts.add(`dictionary ${JSON.stringify(dictionary)}`, at, () =>
            this.#writer.table([
              { bytes: 8, value: dictionary.id },
              dictionary.index && this.#indexType(dictionary.index),
              { bytes: 1, value: dictionary.isOrdered ? 1 : 0 },
              { bytes: 2, value: dictionary.kind },
            ])),
      },
      {
        bytes: "ref",
        to: (at) => {
          // Readers demand the list of children even if it is empty.
          if (children.length > 0) below = at;
          else this.#parts.add("no children", at, () => this.#writer.vector(0).at);
        },
      },
      this.#tagList(tags),
    ]);
    if (below !== undefined) this.#fields(below, children);
    return at;
  }

  #type(type: number, parameters: Parameters): FlatField {
    return {
      bytes: "ref",
      to: (at) =>
        this.#parts.add(`type ${type} ${JSON.stringify(parameters)}`, at, () => {
          const lists: [number, readonly number[]][] = [];
          const table = this.#writer.table(
            slotsOf(type).map(([kind], slot): FlatField => {
              const value = parameters[slot];
              if (value === undefined) return undefined;
              if (typeof value === "string") return this.#text(value);
              if (typeof value === "object") {
                return { bytes: "ref", to: (ref) => lists.push([ref, value]) };
              }
              return { bytes: kind === "i32" ? 4 : kind === "i16" ? 2 : 1, value: Number(value) };
            }),
          );
          for (const [ref, list] of lists) this.#writer.point(ref, this.#writer.numbers(list));
          return table;
        }),
    };
  }

  /** The index type of a dictionary, which is written at once. */
  #indexType(parameters: Parameters): FlatField {
    const [bits, isSigned] = parameters;
    return {
      bytes: "ref",
      to: (at) =>
        this.#tagLists.add(`index ${T.INT} ${bits} ${isSigned}`, at, () =>
          this.#writer.table([
            { bytes: 4, value: Number(bits) },
            { bytes: 1, value: isSigned ? 1 : 0 },
          ])),
    };
  }

  #tagList(tags: readonly SchemaTag[]): FlatField {
    if (tags.length === 0) return undefined;
    const keys = tags.map((tag) => this.#keyOf(tag));
    return {
      bytes: "ref",
      to: (at) =>
        this.#tagLists.add(`tags ${JSON.stringify(keys)}`, at, () => {
          const { at, refs } = this.#writer.vector(tags.length);
          tags.forEach((tag, i) => {
            this.#tags.add(keys[i]!, refs[i]!, () =>
              this.#writer.table([this.#text(tag.key), this.#text(tag.value, tag.place)]));
          });
          return at;
        }),
    };
  }

  #keyOf({ key, value, place }: SchemaTag): string {
    const isOpen = place !== undefined && this.#open.has(place);
    return JSON.stringify(isOpen ? [key, value, place.start] : [key, value]);
  }

  #text(text: string, place?: TextPlace): FlatField {
    if (place !== undefined && this.#open.has(place)) {
      return {
        bytes: "ref",
        to: (ref) =>
          this.#texts.add(`open ${place.start}`, ref, () => {
            const at = this.#writer.text(text);
            this.openAt.set(place.start, at + 4);
            return at;
          }),
      };
    }
    return {
      bytes: "ref",
      to: (ref) => this.#texts.add(`text ${text}`, ref, () => this.#writer.text(text)),
    };
  }
}
