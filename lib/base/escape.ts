/**
 * Text from peers made safe to show: it can neither move the cursor, nor end the line, nor turn its
 * direction round, nor flood the screen.
 *
 * @module
 */

// Controls, format characters (bidirectional overrides, zero width), lone surrogates, separators.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * Unprintable characters as `\n`, `\r`, `\t` or `\u{1b}`, and the rest cut off after a length.
 *
 * @param text whatever a peer sent
 * @param limit the most UTF-16 code units of it that are shown
 */
export function escapeText(text: string, limit = 2000): string {
  const shown = text.length > limit ? text.slice(0, limit) : text;
  const escaped = shown.replaceAll(
    UNPRINTABLE,
    (c) => SHORT[c] ?? `\\u{${c.codePointAt(0)!.toString(16)}}`,
  );
  return shown === text ? escaped : `${escaped}… (${text.length - limit} more characters)`;
}

/**
 * The beginning of a text that is kept: it does not keep a longer one alive, as a slice would.
 *
 * @param text whatever a peer sent
 * @param limit the most UTF-16 code units of it that are kept
 */
export function shortened(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return new TextDecoder().decode(new TextEncoder().encode(text.slice(0, limit)));
}

/**
 * A peer's name in double quotes, those inside it and backslashes escaped.
 *
 * @param text whatever a peer sent
 * @param limit the most UTF-16 code units of it that are shown
 */
export function quote(text: string, limit = 100): string {
  return `"${escapeText(text.replaceAll(/[\\"]/g, "\\$&"), limit)}"`;
}
