/**
 * Lines of an index file: JSON, one a line; a torn or unknown one is left out.
 *
 * @module
 */
import { decodeBase64, encodeBase64 } from "@std/encoding";

/** What a line says. */
export type IndexLine =
  | {
    readonly kind: "file";
    readonly name: string;
    readonly bytes: number;
    /** Whether more than announcements and blueprints is in it. */
    readonly hasData: boolean;
  }
  | { readonly kind: "removed"; readonly name: string }
  | {
    readonly kind: "store";
    readonly store: string;
    readonly header: Uint8Array;
    readonly message: Uint8Array;
  };

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
    const { kind, name, bytes, hasData, store, header, message } = JSON.parse(text);
    if (kind === "file" && typeof name === "string" && Number.isSafeInteger(bytes) && bytes >= 0) {
      return { kind, name, bytes, hasData: hasData !== false };
    }
    if (kind === "removed" && typeof name === "string") return { kind, name };
    if (kind === "store" && typeof store === "string") {
      return { kind, store, header: decodeBase64(header), message: decodeBase64(message) };
    }
  } catch {
    // The end of a line may be missing after a crash.
  }
  return undefined;
}
