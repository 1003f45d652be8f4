/**
 * Keeps tables bounded whose keys peers choose.
 *
 * @module
 */

/**
 * Takes the oldest entries out of a map that has too many, and a sixteenth more than it must: the
 * more entries were deleted before the first one, the longer a map takes to find it, so taking out
 * one at a time would cost a walk over the whole table each time.
 *
 * @param map in the order of age
 * @param most entries it may have
 * @param mayGo tells which entries may be forgotten; all if undefined
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
