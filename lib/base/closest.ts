/**
 * The known word that a mistyped one most likely meant.
 *
 * @module
 */
import { closestString, levenshteinDistance } from "@std/text";

/**
 * Longer words are not compared: arguments can be as long as the system allows, and no option is.
 */
const LONGEST_WORD = 64;

/**
 * The word with the fewest edits to the one given, if it is near enough to be meant.
 *
 * @param word as typed
 * @param words what is known
 */
export function closest(word: string, words: readonly string[]): string | undefined {
  if (words.length === 0 || word.length > LONGEST_WORD) return undefined;
  const best = closestString(word, words, { caseSensitive: true, compareFn: edits });
  // A third of the letters wrong is still a typo; more is another word.
  return edits(word, best) <= Math.max(1, Math.floor(word.length / 3)) ? best : undefined;
}

/** Letters to add, take away or replace; one for a word that is cut, or has two neighbours swapped. */
function edits(word: string, known: string): number {
  return isCut(word, known) || isSwapped(word, known) ? 1 : levenshteinDistance(word, known);
}

/** Whether one is the beginning of the other. */
function isCut(word: string, known: string): boolean {
  return word.length > 2 && (known.startsWith(word) || word.startsWith(known));
}

function isSwapped(word: string, known: string): boolean {
  const at = [...word].findIndex((letter, i) => letter !== known[i]);
  const swapped = `${word.slice(0, at)}${word[at + 1]}${word[at]}${word.slice(at + 2)}`;
  return at >= 0 && at + 1 < word.length && swapped === known;
}
