/** What stands behind the names of a pattern's files. */

/** Follows the pattern's name; no recording has a name that ends so. */
export const INDEX_SUFFIX = ".index.jsonl";
/** Follows the name of a copy with what is whole in another file. */
export const COPY_SUFFIX = ".new";
/** Follows the name of the original of a recovered file. */
export const DAMAGED_SUFFIX = ".damaged";
