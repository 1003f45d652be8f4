/**
 * The known word that a mistyped one most likely meant.
 *
 * @module
 */

/**
 * The word with the fewest edits to the one given, if it is near enough to be meant.
 *
 * @param word as typed
 * @param words what is known
 */
export function closest(word: string, words: readonly string[]): string | undefined {
  let best: string | undefined;
  // A third of the letters wrong is still a typo; more is another word.
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const known of words) {
    const distance = isCut(word, known) ? 1 : editDistance(word, known);
    if (distance < least) [best, least] = [known, distance];
  }
  return best;
}

/** Whether one is the beginning of the other. */
function isCut(word: string, known: string): boolean {
  return word.length > 2 && (known.startsWith(word) || word.startsWith(known));
}

/** Letters to add, take away, replace or swap with their neighbour (optimal string alignment). */
function editDistance(a: string, b: string): number {
  // Arguments can be as long as the system allows; no option is.
  if (a.length > 64) return Infinity;
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const above = rows[i - 1]!;
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min(above[j - 1]! + (same ? 0 : 1), above[j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      }
      row.push(least);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
