/**
 * What errors show of an argument.
 *
 * @module
 */
import { escapeText } from "../../base/escape.ts";
import { hideSecrets } from "../../forward/url.ts";

/**
 * An argument as it can be shown; of an address without user names, passwords and queries, since logs
 * are kept for longer than anybody sees the arguments of a program.
 *
 * @param limit the most UTF-16 code units of it that are shown
 */
export function shownArgument(text: string, limit: number): string {
  return escapeText(text.includes("://") ? hideSecrets(text) : text, limit);
}
