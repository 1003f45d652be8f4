/**
 * Tables of names by version, and which version a chunk is of.
 *
 * @module
 */
import type { SchemaField, SchemaTag } from "../arrow/schema_tree.ts";
import { FIRST_MINOR, LAST_MINOR, Names } from "./names.ts";

/** What SDKs from 0.18 on say of each chunk, and 0.17 doesn't. */
const SIZE = "rerun.heap_size_bytes";

/** What SDK 0.22 says of columns, and those before don't. */
const ARCHETYPE = "rerun.archetype_name";

/** What a chunk's schema says. */
interface Said {
  readonly fields: readonly Pick<SchemaField, "name" | "tags">[];
  readonly tags: readonly SchemaTag[];
}

/** The names of each version, made when they are first asked for. */
export class VersionNames {
  readonly #known = new Map<number, Names>();

  /** @param minor of Rerun 0.17 to 0.22; others get names of none */
  of(minor: number): Names {
    const names = this.#known.get(minor) ?? new Names(minor);
    this.#known.set(minor, names);
    return names;
  }

  /**
   * The version of a chunk: that of its header, unless its schema is not of that version. A file has
   * one header, and what programs with different SDKs sent may stand under it.
   *
   * @param minor of the header
   * @param schema of the chunk
   */
  minorOf(minor: number, { fields, tags }: Said): number {
    if (minor < FIRST_MINOR || minor > LAST_MINOR) return minor;
    if (!tags.some(({ key }) => key === SIZE)) return FIRST_MINOR;
    const isOfLast = fields.some(({ tags }) => tags.some(({ key }) => key === ARCHETYPE));
    if (isOfLast) return LAST_MINOR;
    // Chunks of the last version that name no archetype have no indicators either.
    const hasIndicator = fields.some(({ name }) => /^rerun\..*Indicator$/.test(name));
    if (minor === LAST_MINOR && !hasIndicator) return minor;
    const given = minor === FIRST_MINOR || minor === LAST_MINOR ? [] : [minor];
    let best = { minor, known: -1 };
    for (const each of [...given, ...AFTER_FIRST]) {
      const names = this.of(each);
      const known = fields.filter(({ name }) =>
        names.isKnown(name) || names.indicated(name)
      ).length;
      if (known > best.known) best = { minor: each, known };
    }
    return best.minor;
  }
}

/** Versions between the first and the last, the newest first: it knows most names. */
const AFTER_FIRST = Array.from(
  { length: LAST_MINOR - FIRST_MINOR - 1 },
  (_, i) => LAST_MINOR - 1 - i,
);
