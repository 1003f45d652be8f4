/**
 * Values of components, short enough for a line.
 *
 * @module
 */
import { escapeText } from "../../base/escape.ts";
import { plural } from "../../base/plural.ts";

/** How many characters of a value are shown. */
const MOST = 100;
/** How many numbers or instances of a value are shown. */
const MOST_ITEMS = 8;

/** A value as one line shows it, cut if it is long. */
export function shortText(value: unknown): string {
  return escapeText(textOf(value), MOST);
}

function textOf(value: unknown): string {
  if (value instanceof Uint8Array && value.length > MOST_ITEMS) {
    return `${plural(value.length, "byte")}`;
  }
  if (ArrayBuffer.isView(value) || Array.isArray(value)) {
    const items = value as unknown as ArrayLike<unknown>;
    const texts = Array.from(
      { length: Math.min(items.length, MOST_ITEMS) },
      (_, i) => textOf(items[i]),
    );
    return `[${texts.join(", ")}${items.length > MOST_ITEMS ? ", …" : ""}]`;
  }
  if (typeof value === "string") return JSON.stringify(value.slice(0, MOST));
  if (typeof value !== "object" || value === null) return String(value);
  return `{${Object.entries(value).map(([name, each]) => `${name}: ${textOf(each)}`).join(", ")}}`;
}
