/**
 * Lines of a cursor's file: a checksum, a space, JSON.
 *
 * @module
 */
import type { Tally } from "../base/tally.ts";
import { xxh32 } from "../encoding/rrd/xxh32.ts";

/** Why messages never reached a target. */
export const LOSSES = ["dropped", "refused", "unreadable"] as const;

/** `dropped`: removed before they were sent; `refused`: not taken; `unreadable`: damaged on the disk. */
export type LossKind = typeof LOSSES[number];

/** What never reached a target, for one reason. */
export interface Loss extends Readonly<Tally> {
  /** When that happened last, in milliseconds since the Unix epoch. */
  readonly lastMs: number;
}

/**
 * What a line says: which target's cursor this is, how far a file was acknowledged, that all of a
 * file was, that a file was removed, or what never reached the target so far.
 */
export type CursorLine =
  | { readonly target: string }
  | {
    readonly file: string;
    readonly number: number;
    readonly before: number;
    readonly offset: number;
    readonly isWhole: boolean;
  }
  | { readonly file: string; readonly done: true }
  | { readonly file: string; readonly gone: true }
  | { readonly loss: LossKind } & Loss;

/** The text of a line, with its line feed. */
export function encodeCursorLine(line: CursorLine): string {
  const json = JSON.stringify(line);
  return `${checksum(json)} ${json}\n`;
}

/** Reads a line, given without its line feed; `undefined` if it is torn, or makes no sense. */
export function decodeCursorLine(text: string): CursorLine | undefined {
  const json = text.slice(9);
  if (text[8] !== " " || text.slice(0, 8) !== checksum(json)) return undefined;
  const value: Record<string, unknown> = JSON.parse(json);
  const { file, target, number, before, offset, isWhole } = value;
  if (typeof target === "string") return { target };
  if (isLossKind(value["loss"])) return lossLine(value["loss"], value);
  if (typeof file !== "string") return undefined;
  if (value["done"] === true) return { file, done: true };
  if (value["gone"] === true) return { file, gone: true };
  if (!isCount(number) || !isCount(before) || !isCount(offset)) return undefined;
  return { file, number, before, offset, isWhole: isWhole === true };
}

function isLossKind(value: unknown): value is LossKind {
  return LOSSES.includes(value as LossKind);
}

function lossLine(
  loss: LossKind,
  { messages, bytes, lastMs }: Record<string, unknown>,
): CursorLine | undefined {
  if (!isCount(messages) || !isCount(bytes) || !isCount(lastMs)) return undefined;
  return { loss, messages, bytes, lastMs };
}

function checksum(json: string): string {
  return xxh32(new TextEncoder().encode(json), 0).toString(16).padStart(8, "0");
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number >= 0;
}
