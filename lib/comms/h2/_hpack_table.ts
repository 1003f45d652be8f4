import type { Field } from "./types.ts";

/** The static table of RFC 7541, appendix A; its first entry has the index 1. */
export const STATIC_TABLE: readonly Field[] = (
  ":authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|" +
  ":status=200|:status=204|:status=206|:status=304|:status=400|:status=404|:status=500|" +
  "accept-charset|accept-encoding=gzip, deflate|accept-language|accept-ranges|accept|" +
  "access-control-allow-origin|age|allow|authorization|cache-control|content-disposition|" +
  "content-encoding|content-language|content-length|content-location|content-range|content-type|" +
  "cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|" +
  "if-unmodified-since|last-modified|link|location|max-forwards|proxy-authenticate|" +
  "proxy-authorization|range|referer|refresh|retry-after|server|set-cookie|" +
  "strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate"
).split("|").map((entry) => {
  const [name, value = ""] = entry.split("=");
  return [name!, value];
});

/** What an entry of a table counts besides its name and value, in bytes. */
const ENTRY_BYTES = 32;

/** What a field counts in a table, and in the size of a list, in bytes. */
export function fieldBytes([name, value]: Field): number {
  return name.length + value.length + ENTRY_BYTES;
}

/** What a peer's encoder has had us remember, the newest first. */
export class DynamicTable {
  readonly #fields: Field[] = [];
  #bytes = 0;
  #limit: number;

  /** @param maxBytes limit of the table in bytes */
  constructor(maxBytes: number) {
    this.#limit = maxBytes;
  }

  /** The field at an index, counted from 0. */
  at(index: number): Field | undefined {
    return this.#fields[index];
  }

  /** Sets the limit in bytes, and forgets what is beyond it. */
  resize(limit: number): void {
    this.#limit = limit;
    this.#evict(0);
  }

  /** Remembers a field; one that is too large empties the table. */
  add(field: Field): void {
    const bytes = fieldBytes(field);
    this.#evict(bytes);
    if (bytes > this.#limit) return;
    this.#fields.unshift(field);
    this.#bytes += bytes;
  }

  #evict(wanted: number): void {
    while (this.#fields.length > 0 && this.#bytes + wanted > this.#limit) {
      this.#bytes -= fieldBytes(this.#fields.pop()!);
    }
  }
}
