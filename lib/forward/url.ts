/**
 * Hides the secrets of URLs.
 *
 * @module
 */

/**
 * A URL, or several between spaces, without user names, passwords and queries, for logs, status and
 * errors.
 *
 * @param text any text, whether it is a URL or not
 */
export function hideSecrets(text: string): string {
  // What stands before the next scheme is one address: its password may hold what looks like a gap.
  return text.split(/ (?=[a-z][a-z0-9+.-]*:\/\/)/i).map(hideOne).join(" ");
}

function hideOne(text: string): string {
  const [, scheme = "", rest = ""] = /^([a-z][a-z0-9+.-]*:\/\/)?(.*)$/is.exec(text) ?? [];
  const [, authority = "", path = ""] = /^([^/?#]*)([^?#]*)/s.exec(rest) ?? [];
  // There may be several servers, each with its own password. A slash may be part of a password, so
  // what is behind it counts as a path only without an `@`.
  if (path.includes("@")) return `${scheme}${path.slice(path.lastIndexOf("@") + 1)}`;
  return scheme + authority.split(",").map(hideInHost).join(",") + path;
}

/** Where the host was forgotten, what stands in place of its port is a password. */
function hideInHost(text: string): string {
  return text.replace(/^.*@/s, "").replace(/:(?!\d{1,5}$)[^\]]*$/s, ":…");
}
