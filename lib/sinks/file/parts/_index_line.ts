/**
 * Lines of an index file, each one JSON object; torn and unknown lines are left out. Of several
 * lines with the same id the last one counts.
 *
 * @module
 */
import { decodeBase64, encodeBase64 } from "@std/encoding";

/**
 * What has to be done with a file that a run finds.
 *
 * `writing`: it is `NAME.part`, or was never made. `left`: found by a later run, which recovers it
 * under this name; it may still have its old name (`was`), or already the new one while its inside
 * is still to be checked. `copying`: what is whole in it is copied to `NAME.new`, then it is
 * renamed to `NAME.damaged` and the copy to `NAME`. `closing`: it is whole, but may not have its
 * name yet. `closed`: it has.
 */
export type FileState = "writing" | "left" | "copying" | "closing" | "closed";

/** Whether a file has its footer; `none` if it can have none, or shall have none. */
export type FooterState = "pending" | "none" | "ok";

/** What is known of a file. */
export interface FileLine {
  readonly kind: "file";
  /** A random id, made before the file: names may be used again, ids are not. */
  readonly id: string;
  /** The file's name, without its folder and without `.part`. */
  readonly name: string;
  readonly state: FileState;
  /** Its length in bytes, once it is known; of a leftover, when it was found. */
  readonly bytes: number;
  /** Whether it has more than announcements and blueprints. */
  readonly hasData: boolean;
  /** The application of its first recording. */
  readonly application?: string;
  readonly recording?: string;
  /** How many recordings it holds. */
  readonly recordings?: number;
  /** Version of the SDK that logged first, such as `0.22.1`. */
  readonly sdk?: string;
  /** When the first and the last message were written, in milliseconds since the Unix epoch. */
  readonly firstAt?: number;
  readonly lastAt?: number;
  /** How many logged messages it has, without those at its beginning that let it be opened alone. */
  readonly messages?: number;
  /** How many messages are at its beginning for that. */
  readonly introduction?: number;
  /** Whether it has, or is to have, a footer that lists its chunks. */
  readonly footer: FooterState;
  /** Its length if it had an end marker in place of the footer. */
  readonly plain?: number;
  /** Whether it may be being rewritten, with a footer, as `NAME.new`. */
  readonly isRenewed?: boolean;
  /** The process that writes or wrote it: another one may have taken over the pattern meanwhile. */
  readonly by?: string;
  /** How many of its messages were forwarded, once all targets have all of them. */
  readonly forwarded: number;
  /** Names the series that the file belongs to: the files of one recording. */
  readonly group?: string;
  /**
   * Where recovery found damage inside: how many messages are before it, and how much is added to
   * the numbers of those behind it, so that they are above any that was lost.
   */
  readonly hole?: readonly [before: number, jump: number];
  /**
   * Its hash if it had an end marker in place of the footer, such as `xxh32:0123abcd`; absent if
   * the file was recovered.
   */
  readonly hash?: string;
  /** The name that it had before. */
  readonly was?: string;
  /** Length of the original beside it, `NAME.damaged`, if there is one. */
  readonly damaged?: number;
}

/**
 * Tells which messages of a file are repeated from earlier files; written before these messages
 * are.
 */
export interface RepeatsLine {
  readonly kind: "repeats";
  readonly id: string;
  /**
   * How many messages of any kind are before them; what was noted for that place and later no
   * longer counts.
   */
  readonly at: number;
  /** How many messages. */
  readonly count: number;
}

/** What a line says. */
export type IndexLine =
  | FileLine
  | { readonly kind: "removed"; readonly name: string; readonly id?: string }
  | RepeatsLine
  | {
    readonly kind: "store";
    readonly store: string;
    readonly header: Uint8Array;
    readonly message: Uint8Array;
  };

/** Whether a file belongs to a program that still writes it. */
export function isOf({ state, by }: FileLine, writers: ReadonlySet<string> | undefined): boolean {
  return state !== "closed" && by !== undefined && writers?.has(by) === true;
}

const STATES: readonly unknown[] = ["writing", "left", "copying", "closing", "closed"];

/** Encodes a line, with its line feed. */
export function encodeLine(line: IndexLine): Uint8Array {
  const json = line.kind === "store"
    ? { ...line, header: encodeBase64(line.header), message: encodeBase64(line.message) }
    : line;
  return new TextEncoder().encode(`${JSON.stringify(json)}\n`);
}

/** Decodes a line without its line feed; `undefined` if it makes no sense. */
export function decodeLine(text: string): IndexLine | undefined {
  try {
    const value = JSON.parse(text);
    const { kind, name, id, store, header, message } = value;
    if (kind === "file") return fileLine(value);
    if (kind === "removed" && typeof name === "string") {
      return { kind, name, ...(typeof id === "string" ? { id } : {}) };
    }
    if (kind === "repeats" && typeof id === "string" && isCount(value.at) && isCount(value.count)) {
      return { kind, id, at: value.at, count: value.count };
    }
    if (kind === "store" && typeof store === "string") {
      return { kind, store, header: decodeBase64(header), message: decodeBase64(message) };
    }
  } catch {
    // The end of a line may be missing after a crash.
  }
  return undefined;
}

/** Lines of version 0.1 have no id and no state: their files are closed. */
function fileLine(value: Record<string, unknown>): FileLine | undefined {
  const { name, id = `name:${name}`, state = "closed", bytes = 0 } = value;
  if (typeof name !== "string" || typeof id !== "string" || !STATES.includes(state)) {
    return undefined;
  }
  if (!isCount(bytes)) return undefined;
  const { hasData, footer, forwarded, damaged, hash, was } = value;
  const optional = (name: string, isOf: (value: unknown) => boolean) =>
    isOf(value[name]) ? { [name]: value[name] } : {};
  return {
    kind: "file",
    id,
    name,
    state: state as FileState,
    bytes,
    hasData: hasData !== false,
    ...optional("application", isText),
    ...optional("recording", isText),
    ...optional("recordings", isCount),
    ...optional("sdk", isText),
    ...optional("firstAt", isCount),
    ...optional("lastAt", isCount),
    ...optional("messages", isCount),
    ...optional("introduction", isCount),
    footer: footer === "pending" || footer === "ok" ? footer : "none",
    ...optional("plain", isCount),
    ...optional("by", isText),
    ...(value["isRenewed"] === true ? { isRenewed: true } : {}),
    forwarded: isCount(forwarded) ? forwarded : 0,
    ...optional("group", isText),
    ...optional("hole", isHole),
    ...(isText(hash) ? { hash } : {}),
    ...(isText(was) ? { was } : {}),
    ...(isCount(damaged) ? { damaged } : {}),
  };
}

function isHole(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every(isCount);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number >= 0;
}
