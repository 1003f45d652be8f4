/**
 * `rrd index`: gives recordings the footer that lists their chunks, or renews it.
 *
 * @module
 */
import { concat } from "@std/bytes";
import { stat } from "node:fs/promises";
import type { ReadableFile } from "../../adapters/files/types.ts";
import type { FooterEnd } from "../../chunk_index/footer_builder.ts";
import { NotIndexable } from "../../chunk_index/not_indexable.ts";
import { listedChunks, readFooter } from "../../chunk_index/stored_footer.ts";
import { type IndexedFile, indexFile } from "../../chunk_index/walk_file.ts";
import { NotAnRrd, RerelayError } from "../../base/errors.ts";
import { escapeText } from "../../base/escape.ts";
import { checkFooter, TRAILER_BYTES } from "../../encoding/rrd/footer.ts";
import { MESSAGE_HEADER_BYTES } from "../../encoding/rrd/rrd_message.ts";
import { UsageError } from "../args/arg_reader.ts";
import { EXIT } from "../exit_codes.ts";
import { plural } from "../../base/plural.ts";
import { formatBytes } from "../terminal/units.ts";
import { InputError, nameOf, noEndText } from "./input.ts";
import type { RrdContext } from "./context.ts";
import type { RrdOptions } from "./options.ts";
import { rewriteFile } from "./output.ts";
import { pathText } from "./system_text.ts";

/** The result for one file. */
interface Result {
  readonly path: string;
  readonly chunks: number;
  readonly stores: number;
  readonly footerBytes: number;
  /** Whether the file was written; not if it ended with the same footer already. */
  readonly isWritten: boolean;
}

const COPY_BYTES = 1 << 20;

/** Runs the command over all files, and goes on after those that can't be indexed. */
export async function index(options: RrdOptions, context: RrdContext): Promise<number> {
  const { process, progress } = context;
  if (options.files.includes("-")) {
    throw new UsageError("rrd index writes files anew in their place: name them");
  }
  const results: unknown[] = [];
  let code: number = EXIT.ok;
  for (const path of options.files) {
    const result = await indexed(path, options, context).catch((error) => {
      if (!(error instanceof RerelayError)) throw error;
      return error;
    });
    progress.done();
    if (result instanceof RerelayError) {
      code = EXIT.failed;
      process.stderr(`error: ${escapeText(result.message)}\n`);
    } else if (!options.json) process.stdout(`${resultText(result)}\n`);
    if (options.json) results.push(resultJson(path, result));
  }
  if (options.json) process.stdout(`${JSON.stringify(results, null, 2)}\n`);
  return code;
}

async function indexed(path: string, options: RrdOptions, context: RrdContext): Promise<Result> {
  const before = await statOf(path);
  const { files, progress } = context;
  const file = await files.openAt(path).catch((cause) => {
    throw new InputError(path, pathText(path, cause), cause);
  });
  try {
    progress.start(path, file.size);
    let told = 0;
    const onProgress = (at: number) => {
      progress.add(at - told);
      told = at;
    };
    const found = await indexFile(file, { onProgress }).catch((cause) => {
      if (cause instanceof NotIndexable) {
        throw new InputError(path, cause.message + mends(cause), cause);
      }
      throw cause instanceof RerelayError
        ? cause
        : new InputError(path, pathText(path, cause), cause);
    });
    const { footer, messagesEnd } = found;
    const end = footer.endAt(messagesEnd);
    const { chunks, stores } = footer;
    const result = { path, chunks, stores, footerBytes: footer.bytes };
    if (await endsWith(file, found, end)) return { ...result, isWritten: false };
    // Checked now, for the new list would hide both.
    if (!found.isMarked) {
      const why = noEndText(messagesEnd);
      if (options.strict) throw new InputError(path, why, undefined);
      progress.line(`warning: ${escapeText(path)}: ${why}`);
    } else await checkNoneIsMissing(path, file, found, end);
    await rewriteFile(path, context, async (write) => {
      await copyFront(file, messagesEnd, write);
      await write(end.header);
      for (const bytes of end.rest) await write(bytes);
      const now = await statOf(path);
      if (now.size !== before.size || now.mtimeMs !== before.mtimeMs || now.ino !== before.ino) {
        throw new InputError(path, "it was written to meanwhile, and stays as it is", undefined);
      }
    });
    return { ...result, isWritten: true };
  } finally {
    await file.close();
  }
}

/** What can be done about it. */
function mends({ about, cause }: NotIndexable): string {
  if (about === "form") {
    return "; rrd migrate gives what SDK 0.17 and later logged today's, with one";
  }
  if (about !== "chunks" || cause instanceof NotAnRrd) return "";
  return "; rrd recover writes what is whole, with one";
}

async function statOf(path: string) {
  const found = await stat(path).catch((cause) => {
    throw new InputError(nameOf(path), pathText(path, cause), cause);
  });
  if (found.isDirectory()) {
    throw new InputError(path, "a folder: name the files in it", undefined);
  }
  if (!found.isFile()) {
    throw new InputError(path, "no file, which could be written anew", undefined);
  }
  return found;
}

/** Whether a file ends with this footer already. */
async function endsWith(
  file: ReadableFile,
  { footer, messagesEnd }: IndexedFile,
  { header, rest }: FooterEnd,
): Promise<boolean> {
  if (file.size !== messagesEnd + footer.bytes) return false;
  let at = messagesEnd;
  for (const bytes of [header, ...rest]) {
    const there = new Uint8Array(bytes.length);
    let length = 0;
    for (let read = -1; read !== 0 && length < there.length; length += read) {
      read = await file.readAt(at + length, there.subarray(length));
    }
    if (length < there.length || there.some((byte, i) => byte !== bytes[i])) return false;
    at += bytes.length;
  }
  return true;
}

/** Refuses a file whose present list is whole and has chunks that the new one would not have. */
async function checkNoneIsMissing(
  path: string,
  file: ReadableFile,
  { messagesEnd }: IndexedFile,
  { rest }: FooterEnd,
): Promise<void> {
  const start = messagesEnd + MESSAGE_HEADER_BYTES.protobuf;
  const stored = new Uint8Array(Math.max(0, file.size - start));
  for (let at = 0; at < stored.length;) {
    const read = await file.readAt(start + at, stored.subarray(at));
    if (read === 0) return;
    at += read;
  }
  const missing = listedIn(stored);
  for (const id of listedIn(concat(rest))) missing.delete(id);
  if (missing.size === 0) return;
  const what = plural(missing.size, "chunk");
  const why =
    `its list has ${what} that ${missing.size === 1 ? "is" : "are"} not in it any more; ` +
    "it stays as it is, and rrd recover writes what is there";
  throw new InputError(path, why, undefined);
}

/** The ids of the chunks that a footer with its trailer lists: none if it is not whole. */
function listedIn(bytes: Uint8Array): Set<string> {
  const ids = new Set<string>();
  if (bytes.length <= TRAILER_BYTES) return ids;
  const says = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - TRAILER_BYTES);
  try {
    // Its noted position does not matter: chunks before it may be missing.
    checkFooter(bytes, [Number(says.getBigUint64(0, true))]);
    for (const manifest of readFooter(bytes.subarray(0, -TRAILER_BYTES))) {
      for (const { id } of listedChunks(manifest)) ids.add(id);
    }
  } catch (error) {
    if (!(error instanceof RerelayError)) throw error;
    ids.clear();
  }
  return ids;
}

async function copyFront(
  file: ReadableFile,
  length: number,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const block = new Uint8Array(COPY_BYTES);
  for (let at = 0; at < length;) {
    const read = await file.readAt(at, block.subarray(0, Math.min(COPY_BYTES, length - at)));
    if (read === 0) throw new RerelayError("it was cut while it was read");
    await write(block.subarray(0, read));
    at += read;
  }
}

function resultText({ path, chunks, stores, footerBytes, isWritten }: Result): string {
  const what = `${plural(chunks, "chunk")} of ${plural(stores, "store")}`;
  return `${escapeText(path)}: ${what} listed, ${formatBytes(footerBytes)}${
    isWritten ? "" : "; it had that index already"
  }`;
}

function resultJson(path: string, result: Result | RerelayError): unknown {
  if (result instanceof RerelayError) {
    return {
      file: path,
      ok: false,
      error: result instanceof InputError ? result.why : result.message,
    };
  }
  const { chunks, stores, footerBytes, isWritten } = result;
  return { file: path, ok: true, chunks, stores, footer_bytes: footerBytes, written: isWritten };
}
