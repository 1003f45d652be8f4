import { checkGiven, hasMethods } from "../../base/check_arguments.ts";
import { checkCount, checkText } from "../../base/check_options.ts";

/**
 * Names of recording files, made of a pattern and of what clients call their recordings.
 *
 * @module
 */

/** The words that may be in braces. */
const PLACEHOLDERS: readonly Placeholder[] = [
  "application_id",
  "recording_id",
  "box",
  "date",
  "time",
  "part",
];

/** A word in braces in a {@linkcode SavePattern}. */
export type Placeholder = "application_id" | "recording_id" | "box" | "date" | "time" | "part";

/** Placeholders for a text that a peer chooses. */
const TEXTS: readonly string[] = ["application_id", "recording_id", "box"];

/** The value of `{box}` for what SDKs send to this server directly. */
const NO_BOX = "sdk";

/** Where recordings go. */
export interface SavePattern {
  /** Folder of all files, with the separator at its end; empty for the current one. */
  readonly folder: string;
  /** The name of the files, with its placeholders. */
  readonly name: string;
  /** The placeholders in the name. */
  readonly placeholders: ReadonlySet<Placeholder>;
}

/** Whether several files of one recording get different names, as rotation needs. */
export function hasSerialNames({ placeholders }: SavePattern): boolean {
  return (["part", "date", "time"] as const).some((word) => placeholders.has(word));
}

/** What the placeholders stand for. */
export interface NameValues {
  /** As the client has sent it. */
  readonly applicationId: string;
  /** As the client has sent it. */
  readonly recordingId: string;
  /** The box that it came from through NATS; absent where an SDK sent it here. */
  readonly box?: string;
  /** When the part begins. */
  readonly date: Date;
  /** Number of the part, from 1 on. */
  readonly part: number;
}

/** Bytes of a name that file systems take. */
const MAX_NAME_BYTES = 255;
/** Bytes that are kept free for `.part`, and for a number such as `.12345.rrd`. */
const RESERVED_BYTES = 5 + 10;
/** Bytes that a placeholder must have at least: with fewer, recordings could not be told apart. */
const MIN_VALUE_BYTES = 16;
const FIXED_BYTES = { date: 10, time: 8, part: 9 } as const;

/**
 * Reads a pattern.
 *
 * @param text a path, with placeholders in its last part
 * @throws {RangeError} with what is expected instead
 *
 * @example
 * ```ts
 * import { parseSavePattern, renderName } from "@rerelay/server/sinks";
 * import { assertEquals } from "@std/assert";
 *
 * const pattern = parseSavePattern("logs/{application_id}-{date}-{part}.rrd");
 * const date = new Date("2026-01-31T12:00:00Z");
 * const values = { applicationId: "../robot", recordingId: "a", date, part: 1 };
 * assertEquals(pattern.folder, "logs/");
 * assertEquals(renderName(pattern, values), "__robot-2026-01-31-0001.rrd");
 * ```
 */
export function parseSavePattern(text: string): SavePattern {
  checkText("path", text);
  // It would be written into a folder named after the scheme, on this machine.
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(text)) {
    throw new RangeError(
      "expected a path, not an address: what is saved is sent on by --forward, or forwardTo()",
    );
  }
  const [, folder = "", name = ""] = /^(.*[/\\])?([^/\\]*)$/s.exec(text) ?? [];
  const words = [...name.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1]!);
  const unknown = words.find((word) => !isPlaceholder(word));
  const known = PLACEHOLDERS.map((word) => `{${word}}`).join(" ");
  if (unknown !== undefined) {
    throw new RangeError(`there is no {${unknown}}; there are ${known}`);
  }
  if (/\{[^{}]*\}/.test(folder)) {
    throw new RangeError("only the file's name may have braces, not its folder");
  }
  const placeholders = new Set(words.filter(isPlaceholder));
  if (placeholders.size > 0 && !/\.rrd$/i.test(name)) {
    throw new RangeError("a name with braces must end with .rrd");
  }
  const pattern = { folder, name, placeholders };
  if (placeholders.size > 0 && valueBytes(pattern) < MIN_VALUE_BYTES) {
    throw new RangeError(`the name is too long: it may have ${MAX_NAME_BYTES} bytes`);
  }
  return pattern;
}

/**
 * Makes a file's name, without its folder: it never has separators, control characters or `..`
 * from a client, and at most 255 bytes with `.part` behind it.
 *
 * @param pattern what it is made of
 * @param values the values of its placeholders
 *
 * @example
 * ```ts
 * import { parseSavePattern, renderName } from "@rerelay/server/sinks";
 * import { assertEquals } from "@std/assert";
 *
 * const pattern = parseSavePattern("logs/{recording_id}-{time}.rrd");
 * const date = new Date("2026-01-31T12:30:00Z");
 * const name = renderName(pattern, { applicationId: "app", recordingId: "a/b", date, part: 1 });
 * assertEquals(pattern.folder + name, "logs/a_b-12-30-00.rrd");
 * ```
 */
export function renderName(pattern: SavePattern, values: NameValues): string {
  checkGiven("renderName", "a pattern, as parseSavePattern gives", isPattern(pattern), pattern);
  const isDated = (values?.date as unknown) instanceof Date && !Number.isNaN(values.date.getTime());
  checkGiven("renderName", "values with a date", isDated, values);
  checkCount("part", values.part);
  const limit = valueBytes(pattern);
  const iso = values.date.toISOString();
  const rendered = pattern.name.replaceAll(/\{([^{}]*)\}/g, (_, word: Placeholder) => {
    switch (word) {
      case "application_id":
        return safeText(values.applicationId, limit);
      case "recording_id":
        return safeText(values.recordingId, limit);
      case "box":
        return safeText(values.box ?? NO_BOX, limit);
      case "date":
        return iso.slice(0, 10);
      case "time":
        return iso.slice(11, 19).replaceAll(":", "-");
      case "part":
        return String(values.part).padStart(4, "0");
    }
  });
  const numbered = pattern.placeholders.has("part") || values.part === 1;
  return numbered ? rendered : siblingPath(rendered, values.part);
}

function isPattern(pattern: SavePattern): boolean {
  return typeof pattern?.name === "string" && hasMethods(pattern.placeholders, "has");
}

/**
 * Whether a name could be one of the pattern's, or that of a file still being written.
 *
 * @param pattern what names are made of
 * @param name without its folder
 * @param suffix `".part"` for those still being written
 */
export function isNameOf(pattern: SavePattern, name: string, suffix = ""): boolean {
  if (!name.endsWith(suffix) || /[/\\]/.test(name)) return false;
  const own = name.slice(0, name.length - suffix.length);
  const base = pattern.name.replace(/\.rrd$/i, "");
  const ending = pattern.name.slice(base.length);
  const sibling = own.replace(/\.\d+\.rrd$/, "");
  return (own.endsWith(ending) && isMadeOf(own.slice(0, own.length - ending.length), base)) ||
    (sibling !== own && isMadeOf(sibling, base));
}

/**
 * Whether a text is a pattern with something in place of each word in braces. Piece by piece and not
 * by a regular expression: those try all ways to split a name, and a client that calls its recording
 * `-----` makes millions of them.
 */
function isMadeOf(text: string, pattern: string): boolean {
  const [first = "", ...rest] = pattern.split(/\{[^{}]*\}/);
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at + 1);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at < text.length - last.length;
}

/**
 * Takes a name apart, to go on counting where earlier runs ended.
 *
 * @param pattern the pattern that the name may have been made of
 * @param name without its folder
 * @returns its part's number, and a text that all parts of its recording share
 */
export function numberOf(
  pattern: SavePattern,
  name: string,
): { readonly recording: string; readonly part: number } | undefined {
  /** What the numbers and the texts between them are; a word may be in the pattern several times. */
  const kinds: ("part" | "text")[] = [];
  const source = pattern.name.split(/(\{(?:date|time|part)\})/).map((piece) => {
    if (piece === "{date}") return "\\d{4}-\\d\\d-\\d\\d";
    if (piece === "{time}") return "\\d\\d-\\d\\d-\\d\\d";
    kinds.push(piece === "{part}" ? "part" : "text");
    return piece === "{part}" ? "(\\d{4,})" : `(${anyText(piece)})`;
  });
  const values = new RegExp(`^${source.join("")}$`, "s").exec(name)?.slice(1);
  const number = values?.[kinds.indexOf("part")];
  // Longer ones are no numbers of parts but times, for example: nobody could count on from there.
  if (values === undefined || number === undefined || number.length > FIXED_BYTES.part) {
    return undefined;
  }
  const recording = JSON.stringify(values.filter((_, i) => kinds[i] === "text"));
  return { recording, part: Number(number) };
}

/** Matches what a piece of a pattern may become, in one way only: see `isMadeOf`. */
function anyText(piece: string): string {
  const [first = "", ...rest] = piece.split(/\{[^{}]*\}/);
  const last = rest.pop();
  return escapeRegExp(first) + (last === undefined ? "" : `[^/]+${escapeRegExp(last)}`);
}

/** `a.rrd` and 2 make `a.2.rrd`; a name without that ending gets it. */
export function siblingPath(path: string, number: number): string {
  return `${path.replace(/\.rrd$/i, "")}.${number}.rrd`;
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** A text of a client, made safe as part of a name. */
function safeText(text: string, maxBytes: number): string {
  const safe = text.slice(0, maxBytes).toWellFormed().normalize("NFC")
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}/\\:*?"<>|{}\ufffd]/gu, "_")
    .replaceAll(/\.{2,}/g, "_").replaceAll(/^[.\s-]|[.\s]$/g, "_");
  let cut = "";
  let bytes = 0;
  for (const character of safe) {
    bytes += new TextEncoder().encode(character).length;
    if (bytes > maxBytes) break;
    cut += character;
  }
  return cut === "" ? "_" : cut;
}

/** How long the text of one placeholder may be, in bytes. */
function valueBytes({ name, placeholders }: SavePattern): number {
  let free = MAX_NAME_BYTES - RESERVED_BYTES;
  let texts = 0;
  const rest = name.replaceAll(/\{([^{}]*)\}/g, (_, word: Placeholder) => {
    if (TEXTS.includes(word)) texts++;
    else free -= FIXED_BYTES[word as keyof typeof FIXED_BYTES];
    return "";
  });
  free -= new TextEncoder().encode(rest).length;
  return Math.floor(placeholders.size === 0 || texts === 0 ? free : free / texts);
}

function isPlaceholder(word: string): word is Placeholder {
  return PLACEHOLDERS.some((placeholder) => placeholder === word);
}
