/**
 * Subjects of NATS: one for each recording of each box.
 *
 * @module
 */
import { xxh32 } from "../encoding/rrd/xxh32.ts";

/** The first part of all subjects. */
export const SUBJECT_PREFIX = "rerelay";

/** Longer names are cut, since servers limit a whole line to 4096 bytes. */
const MAX_TOKEN_CHARS = 160;

/** Characters that are written into a subject unchanged, and a name of nothing else. */
const SAFE = /^[A-Za-z0-9_-]$/;
const SAFE_NAME = new RegExp(`^[A-Za-z0-9_-]{1,${MAX_TOKEN_CHARS}}$`);

/** The box, application and recording of a subject. */
export interface SubjectNames {
  /** The name of the box, from its option. */
  readonly box: string;
  /** The application of the recording; empty where that was never announced. */
  readonly application: string;
  /** The id of the recording. */
  readonly recording: string;
}

/**
 * Encodes a name as a part of a subject: each byte that has a meaning for NATS or in a terminal
 * becomes `=` and two hexadecimal digits, and an empty name becomes `=`.
 *
 * @param text a name from a peer, which may be any text
 */
export function subjectToken(text: string): string {
  if (SAFE_NAME.test(text)) return text; // most names
  let token = "";
  for (const byte of new TextEncoder().encode(text.toWellFormed())) {
    const char = String.fromCharCode(byte);
    token += SAFE.test(char) ? char : `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    if (token.length > MAX_TOKEN_CHARS) return cutToken(text, token);
  }
  return token === "" ? "=" : token;
}

/**
 * Cuts a long name, and adds its hash, so that it still differs from others with the same
 * beginning.
 */
function cutToken(text: string, token: string): string {
  const bytes = new TextEncoder().encode(text);
  const hash = xxh32(bytes, 0).toString(16).padStart(8, "0");
  const kept = token.slice(0, MAX_TOKEN_CHARS - 20).replace(/=.?$/, "");
  return `${kept}==${hash}-${bytes.length}`;
}

/** Decodes such a part; of a name that was cut, gives the beginning and `…`. */
export function tokenText(token: string): string {
  if (/^[\w-]+$/.test(token)) return token; // most names
  const [, kept] = /^(.*)==[0-9a-f]{8}-\d+$/.exec(token) ?? [];
  const bytes: number[] = [];
  const text = kept ?? (token === "=" ? "" : token);
  for (let at = 0; at < text.length; at++) {
    const hex = text[at] === "=" ? /^[0-9A-F]{2}$/.exec(text.slice(at + 1, at + 3)) : null;
    if (hex !== null) at += 2;
    bytes.push(hex === null ? text.charCodeAt(at) & 0xff : parseInt(hex[0], 16));
  }
  return new TextDecoder().decode(Uint8Array.from(bytes)) + (kept === undefined ? "" : "…");
}

/** The subject for a recording of a box. */
export function recordingSubject({ box, application, recording }: SubjectNames): string {
  const tokens = [box, application, recording].map(subjectToken);
  return [SUBJECT_PREFIX, ...tokens].join(".");
}

/** Reads a subject; `undefined` if it is not that of a recording. */
export function subjectNames(subject: string): SubjectNames | undefined {
  const [prefix, box, application, recording, ...more] = subject.split(".");
  if (prefix !== SUBJECT_PREFIX || more.length > 0 || !box || !application || !recording) {
    return undefined;
  }
  return {
    box: tokenText(box),
    application: tokenText(application),
    recording: tokenText(recording),
  };
}

/** Selects recordings; a list that is empty or left out selects all. */
export interface SubjectFilter {
  /** Names of boxes. */
  readonly boxes?: readonly string[];
  /** Names of applications. */
  readonly applications?: readonly string[];
  /** Ids of recordings. */
  readonly recordings?: readonly string[];
}

/** The subjects, with wildcards, of all recordings that a filter selects. */
export function filterSubjects(filter: SubjectFilter): string[] {
  const { boxes = [], applications = [], recordings = [] } = filter;
  let subjects = [SUBJECT_PREFIX];
  for (const names of [boxes, applications, recordings]) {
    const tokens = names.length === 0 ? ["*"] : [...new Set(names.map(subjectToken))];
    subjects = subjects.flatMap((front) => tokens.map((token) => `${front}.${token}`));
  }
  return subjects;
}

/** Makes a test of whether a subject is among those that {@linkcode filterSubjects} gave. */
export function subjectMatcher(filters: readonly string[]): (subject: string) => boolean {
  const known = new Set(filters);
  return (subject) => {
    const [prefix, box, application, recording] = subject.split(".");
    for (const b of [box, "*"]) {
      for (const a of [application, "*"]) {
        for (const r of [recording, "*"]) if (known.has(`${prefix}.${b}.${a}.${r}`)) return true;
      }
    }
    return false;
  };
}
