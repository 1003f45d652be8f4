/**
 * Compares the version of a file that a client has with the one that is there (RFC 9110, section
 * 13).
 *
 * @module
 */
import type { OpenedFile } from "../../recordings/shelf.ts";

/** A version of a file: its tag, and how many bytes it has. */
export interface Version {
  /** In quotes. */
  readonly etag: string;
  readonly bytes: number;
}

/**
 * The version that a request is about: the one that is there, or an earlier one that the client has
 * a part of, if the file has only grown since. Otherwise a download of what is being written would
 * begin anew whenever a link breaks.
 *
 * @param headers of the request
 * @param opened the file
 */
export function versionFor(headers: Headers, opened: OpenedFile): Version {
  const held = headers.get("if-range") ?? headers.get("if-match") ?? "";
  const [, text] = /^"([^"]*)"$/.exec(held) ?? [];
  const bytes = earlierBytes(text, opened);
  return bytes === undefined
    ? { etag: `"${encodeURIComponent(opened.version.toWellFormed())}"`, bytes: opened.bytes }
    : { etag: held, bytes };
}

/** How long a file was that only grows when it had this version. */
function earlierBytes(version = "", { growing, bytes }: OpenedFile): number | undefined {
  if (growing === undefined || !version.startsWith(growing)) return undefined;
  const before = version.slice(growing.length);
  return /^\d{1,15}$/.test(before) && Number(before) <= bytes ? Number(before) : undefined;
}

/**
 * Whether a client wants the file only as it was: Firefox asks so when it goes on with a download.
 *
 * @param headers of the request
 * @param etag of what is there, in quotes
 * @param modifiedMs when it was changed, in milliseconds since the Unix epoch, if known
 */
export function isChanged(headers: Headers, etag: string, modifiedMs = 0): boolean {
  const tags = headers.get("if-match");
  if (tags !== null) return !tagsOf(tags).some((tag) => tag === "*" || tag === etag);
  const sinceMs = Date.parse(headers.get("if-unmodified-since") ?? "");
  // Dates of HTTP have whole seconds.
  return Math.floor(modifiedMs / 1000) * 1000 > sinceMs;
}

/**
 * Whether a client has this version already. `If-None-Match` compares weakly.
 *
 * @param headers of the request
 * @param etag of what is there, in quotes
 */
export function isKnown(headers: Headers, etag: string): boolean {
  const tags = tagsOf(headers.get("if-none-match") ?? "").map((tag) => tag.replace(/^W\//, ""));
  return tags.includes("*") || tags.includes(etag);
}

function tagsOf(header: string): string[] {
  return header.split(",").map((tag) => tag.trim());
}
