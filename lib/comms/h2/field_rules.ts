/**
 * Checks of header fields by RFC 9113, section 8.
 *
 * @module
 */
import type { Field, FieldMap } from "./types.ts";

const OF_REQUESTS: ReadonlySet<string> = new Set([":method", ":scheme", ":path", ":authority"]);
const OF_ANSWERS: ReadonlySet<string> = new Set([":status"]);
const NONE: ReadonlySet<string> = new Set();

/** Fields about one hop of HTTP/1.1, which HTTP/2 forbids. */
const OF_ONE_HOP: ReadonlySet<string> = new Set([
  "connection",
  "proxy-connection",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
]);

/** The header fields of a request; `undefined` if they are malformed. */
export function requestFields(fields: readonly Field[]): FieldMap | undefined {
  const map = mapOf(fields, OF_REQUESTS);
  return map?.get(":method") && map.get(":scheme") && map.get(":path") ? map : undefined;
}

/** The header fields of an answer; `undefined` if they are malformed. */
export function answerFields(fields: readonly Field[]): FieldMap | undefined {
  const map = mapOf(fields, OF_ANSWERS);
  return /^[1-9]\d\d$/.test(map?.get(":status") ?? "") ? map : undefined;
}

/** The fields behind a body; `undefined` if they are malformed. */
export function trailerFields(fields: readonly Field[]): FieldMap | undefined {
  return mapOf(fields, NONE);
}

/** How long a body is said to be, in bytes; `undefined` if nothing is said, NaN if it is no length. */
export function contentLength(fields: FieldMap): number | undefined {
  const text = fields.get("content-length");
  if (text === undefined) return undefined;
  return /^\d{1,15}$/.test(text) ? Number(text) : NaN;
}

function mapOf(fields: readonly Field[], pseudo: ReadonlySet<string>): FieldMap | undefined {
  const map = new Map<string, string>();
  let isRegular = false;
  for (const [name, value] of fields) {
    if (name.startsWith(":")) {
      if (isRegular || map.has(name) || !pseudo.has(name) || !isValue(value)) return undefined;
      map.set(name, value);
      continue;
    }
    isRegular = true;
    if (!isName(name) || OF_ONE_HOP.has(name) || !isValue(value)) return undefined;
    if (name === "te" && value !== "trailers") return undefined;
    const before = map.get(name);
    const separator = name === "cookie" ? "; " : ", ";
    map.set(name, before === undefined ? value : before + separator + value);
  }
  return map;
}

/** A token in lower case. */
function isName(name: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name);
}

function isValue(value: string): boolean {
  return !/[\0\r\n]|^[ \t]|[ \t]$/.test(value);
}
