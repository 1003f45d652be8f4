/**
 * Searches, sorts and pages lists, as an address asks for it.
 *
 * @module
 */

/** What an item is found and sorted by. */
export interface ListKeys {
  /** Its name for people. */
  readonly name: string;
  /** Further texts that a search looks into. */
  readonly texts: readonly (string | undefined)[];
  /** When it was last changed, in milliseconds since the Unix epoch. */
  readonly lastMs: number;
  readonly bytes: number;
}

/** What an address asks for. */
export interface ListQuery {
  /** How many items. */
  readonly limit: number;
  /** How many items to leave out before. */
  readonly offset: number;
  /** Words that all must be in a listed item. */
  readonly words: readonly string[];
  readonly sort: ListSort;
}

const SORTS = ["newest", "oldest", "name", "largest"] as const;

/** How a list is sorted. */
export type ListSort = typeof SORTS[number];

/** How many letters a search may have. */
const MAX_SEARCH = 200;

/**
 * Reads `limit`, `offset`, `search` and `sort` of an address.
 *
 * @param query of the address
 * @param limit the default limit
 * @returns the query, or a line that says what is wrong
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
 * Selects the items that are asked for.
 *
 * @param all in any order
 * @param query what is asked for
 * @param keysOf gives the keys of an item, by its index in `all`
 * @returns one page, and how many items there are on all pages
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

/** Compares without an `Intl.Collator`, which takes seconds for thousands of texts. */
function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A text for comparing, without upper case. */
function plain(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}

function isSort(text: string): text is ListSort {
  return SORTS.some((sort) => sort === text);
}
