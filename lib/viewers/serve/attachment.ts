/**
 * The file name of a download, made of a name that a peer chose: it can't lead to another folder,
 * nor look like another name.
 *
 * @module
 */

/** Control characters and the like, which no honest name has: such a name is given in ASCII only. */
const HOSTILE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

/** Characters that some system does not allow in file names. */
const UNSAFE = /[/\\:*?"<>|]+/g;

/** Most file systems take 255 bytes. */
const MAX_BYTES = 200;

/**
 * A `Content-Disposition` (RFC 6266) for a recording: the name in ASCII for all, and as it is for those
 * who read more (RFC 8187).
 *
 * @param name a name that a peer chose, which may be any text
 * @param ending the ending of the file name
 */
export function attachment(name: string, ending = ".rrd"): string {
  const plain = name.replaceAll(/[^\w.-]+/g, "_").replace(/^\.+/, "_").slice(0, MAX_BYTES);
  const ascii = `attachment; filename="${plain || "recording"}${ending}"`;
  const shown = HOSTILE.test(name) ? plain : shownName(name);
  return shown === plain ? ascii : `${ascii}; filename*=UTF-8''${encoded(`${shown}${ending}`)}`;
}

/** The name as the peer wrote it, without what file names must not have. */
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
