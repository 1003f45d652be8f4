/**
 * Lines of an index file: JSON, one a line; a torn or unknown one is left out. The last line of a file's
 * id is what holds of it.
 *
 * @module
 */
import { decodeBase64, encodeBase64 } from "@std/encoding";

/**
 * What is to be done with a file when a run finds it.
 *
 * `writing`: it is `NAME.part`, or was never made. `left`: found by a later run, which recovers it under
 * this name; it may still have the one before (`was`), and have got its own name, to be looked at
 * inside. `copying`: what is whole in it goes to `NAME.new`, then it becomes `NAME.damaged` and that
 * `NAME`. `closing`: it is whole, but may not have its name yet. `closed`: it has.
 */
export type FileState = "writing" | "left" | "copying" | "closing" | "closed";

/** Of a file that can have no footer, or is to have none, it is `none`. */
export type FooterState = "pending" | "none" | "ok";

/** What is known of a file. */
export interface FileLine {
  readonly kind: "file";
  /** Random, made before the file: names may be used again, this is not. */
  readonly id: string;
  /** Without its folder, and without `.part`. */
  readonly name: string;
  readonly state: FileState;
  /** Its length, once it is known; or of what it was when it was found. */
  readonly bytes: number;
  /** Whether more than announcements and blueprints is in it. */
  readonly hasData: boolean;
  /** Of its first recording. */
  readonly application?: string;
  readonly recording?: string;
  /** How many recordings it holds. */
  readonly recordings?: number;
  /** Version of the SDK that logged first, such as `0.22.1`. */
  readonly sdk?: string;
  /** When the first and the last message were written, in milliseconds since the Unix epoch. */
  readonly firstAt?: number;
  readonly lastAt?: number;
  /** Logged messages in it; those it begins with, to open alone, are not counted. */
  readonly messages?: number;
  /** How many those are. */
  readonly introduction?: number;
  /** Whether it has, or is to have, a footer that lists its chunks. */
  readonly footer: FooterState;
  /** Its length without the footer, but with an end marker in the place of that. */
  readonly plain?: number;
  /** Whether it may be being written anew, with a footer, as `NAME.new`. */
  readonly isRenewed?: boolean;
  /** The process that writes it, or wrote it: another may have gone on under the pattern meanwhile. */
  readonly by?: string;
  /** How many of its messages were forwarded, once all targets have all of them. */
  readonly forwarded: number;
  /** Stands for whose files it is one of: those of one recording follow one another. */
  readonly group?: string;
  /**
   * Where recovery found damage inside: how many messages stand before it, and by how much the numbers
   * of all behind it are higher, so that they are above any that was lost there.
   */
  readonly hole?: readonly [before: number, jump: number];
  /**
   * What it hashes to without the footer, and with an end marker in the place of that, such as
   * `xxh32:0123abcd`; none where it was mended.
   */
  readonly hash?: string;
  /** The name that it had before. */
  readonly was?: string;
  /** Length of the original beside it, `NAME.damaged`, if there is one. */
  readonly damaged?: number;
}

/** Says which messages of a file earlier files have, too; it stands there before they do. */
export interface RepeatsLine {
  readonly kind: "repeats";
  readonly id: string;
  /** How many messages of any kind stand before them; what was noted from there on holds no more. */
  readonly at: number;
  /** How many they are. */
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

const STATES: readonly unknown[] = ["writing", "left", "copying", "closing", "closed"];

/** A line with its line feed. */
export function encodeLine(line: IndexLine): Uint8Array {
  const json = line.kind === "store"
    ? { ...line, header: encodeBase64(line.header), message: encodeBase64(line.message) }
    : line;
  return new TextEncoder().encode(`${JSON.stringify(json)}\n`);
}

/** What a line says, without its line feed; `undefined` if it makes no sense. */
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

/** What version 0.1 wrote has no id and no state: its files are closed. */
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
