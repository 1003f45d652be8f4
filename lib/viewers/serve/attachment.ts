/**
 * The name of a download: what a peer called a recording leads nowhere, and shows as it is.
 *
 * @module
 */

/** What no name of people has in it: such a name is shown in ASCII alone. */
const HOSTILE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

/** What is not in file names somewhere. */
const UNSAFE = /[/\\:*?"<>|]+/g;

/** Most file systems take 255 bytes. */
const MAX_BYTES = 200;

/**
 * A `Content-Disposition` (RFC 6266) for a recording: the name in ASCII for all, and as it is for those
 * who read more (RFC 8187).
 *
 * @param name any text
 * @param ending behind it
 */
export function attachment(name: string, ending = ".rrd"): string {
  const plain = name.replaceAll(/[^\w.-]+/g, "_").replace(/^\.+/, "_").slice(0, 100);
  const ascii = `attachment; filename="${plain || "recording"}${ending}"`;
  // deno-lint-ignore no-control-regex
  if (/^[\x00-\x7f]*$/.test(name) || HOSTILE.test(name)) return ascii;
  return `${ascii}; filename*=UTF-8''${encoded(`${shownName(name)}${ending}`)}`;
}

/** As the peer wrote it, as far as a file may be called so. */
function shownName(name: string): string {
  const safe = name.replaceAll(UNSAFE, "_").replace(/^\.+/, "_");
  const encoder = new TextEncoder();
  let kept = "";
  let bytes = 0;
  for (const character of safe) {
    bytes += encoder.encode(character).length;
    if (bytes > MAX_BYTES) break;
    kept += character;
  }
  return kept;
}

/** What `encodeURIComponent` leaves as it is, though it is no `attr-char` of RFC 8187, too. */
function encoded(text: string): string {
  return encodeURIComponent(text)
    .replaceAll(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}
