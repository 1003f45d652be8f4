/**
 * Which of many a list shows, and in which order, as an address asks for it.
 *
 * @module
 */

/** What a list is searched and sorted by. */
export interface ListKeys {
  /** What people call it. */
  readonly name: string;
  /** What a search looks into, besides. */
  readonly texts: readonly (string | undefined)[];
  /** When it was changed last, in milliseconds since the Unix epoch. */
  readonly lastMs: number;
  readonly bytes: number;
}

/** What an address asks for. */
export interface ListQuery {
  /** So many. */
  readonly limit: number;
  /** Without so many before. */
  readonly offset: number;
  /** All of these words are in what is listed. */
  readonly words: readonly string[];
  readonly sort: ListSort;
}

const SORTS = ["newest", "oldest", "name", "largest"] as const;

/** How a list is sorted. */
export type ListSort = typeof SORTS[number];

/** A search has so many letters at most. */
const MAX_SEARCH = 200;

/**
 * Reads `limit`, `offset`, `search` and `sort` of an address.
 *
 * @param query of the address
 * @param limit where none is given
 * @returns a line that says what is wrong, if something is
 */
export function listQuery(
  query: Readonly<Record<string, string>>,
  limit: number,
): ListQuery | string {
  const { limit: many = String(limit), offset = "0", search = "", sort = "newest" } = query;
  if (!/^\d{1,5}$/.test(many)) return "limit is a number up to 99999";
  if (!/^\d{1,9}$/.test(offset)) return "offset is a number";
  if (search.length > MAX_SEARCH) return `search has at most ${MAX_SEARCH} letters`;
  if (!isSort(sort)) return `sort is one of ${SORTS.join(", ")}`;
  const words = plain(search).split(/\s+/).filter((word) => word !== "");
  return { limit: Number(many), offset: Number(offset), words, sort };
}

/**
 * Those that are asked for.
 *
 * @param all in any order
 * @param query what is asked for
 * @param keysOf what one is found and sorted by, given its place in `all`
 * @returns one page, and how many there are on all pages
 */
export function listed<T>(
  all: readonly T[],
  { limit, offset, words, sort }: ListQuery,
  keysOf: (item: T, index: number) => ListKeys,
): { readonly page: T[]; readonly found: number } {
  const found = all.map((item, i) => ({ item, keys: keysOf(item, i) })).filter(({ keys }) => {
    if (words.length === 0) return true;
    const text = plain([keys.name, ...keys.texts].join("\n"));
    return words.every((word) => text.includes(word));
  });
  found.sort((a, b) => ORDERS[sort](a.keys, b.keys) || compare(a.keys.name, b.keys.name));
  const page = found.slice(offset, offset + limit).map(({ item }) => item);
  return { page, found: found.length };
}

const ORDERS: Readonly<Record<ListSort, (a: ListKeys, b: ListKeys) => number>> = {
  newest: (a, b) => compare(b.lastMs, a.lastMs),
  oldest: (a, b) => compare(a.lastMs, b.lastMs),
  name: () => 0,
  largest: (a, b) => compare(b.bytes, a.bytes),
};

/** Texts without an `Intl.Collator`, which takes seconds for thousands. */
function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** As people search: large and small letters are one. */
function plain(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}

function isSort(text: string): text is ListSort {
  return SORTS.some((sort) => sort === text);
}
