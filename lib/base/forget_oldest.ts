/**
 * Keeps tables bounded whose keys peers choose.
 *
 * @module
 */

/**
 * Where a map has more entries than it may, takes out the oldest, and a sixteenth more: to find the
 * first entry of a map takes the longer the more were deleted before it, so one at a time would cost
 * a walk over the whole table each.
 *
 * @param map in the order of age
 * @param most entries it may have
 * @param mayGo says which may be forgotten; all if undefined
 * @returns what was taken out
 */
export function forgetOldest<K, V>(
  map: Map<K, V>,
  most: number,
  mayGo: (value: V) => boolean = () => true,
): [K, V][] {
  if (map.size <= most) return [];
  const gone: [K, V][] = [];
  let excess = map.size - most + Math.floor(most / 16);
  for (const entry of map) {
    if (excess <= 0) break;
    if (!mayGo(entry[1])) continue;
    map.delete(entry[0]);
    gone.push(entry);
    excess--;
  }
  return gone;
}
