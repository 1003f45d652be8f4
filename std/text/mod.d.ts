export declare function closestString(
  givenWord: string,
  possibleWords: readonly string[],
  options?: { caseSensitive?: boolean; compareFn?: (givenWord: string, word: string) => number },
): string;
export declare function levenshteinDistance(str1: string, str2: string): number;
