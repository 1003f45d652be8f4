/**
 * Secrets that stand in files of their own: what others may not read has no place in a list of processes.
 *
 * @module
 */
import { open } from "node:fs/promises";
import { reason } from "../base/errors.ts";
import { escapeText } from "../base/escape.ts";
import { UsageError } from "./args/arg_reader.ts";
import type { HostOptions } from "./args/args.ts";
import { parseToken } from "./args/viewer_args.ts";

/** A larger file is no secret that somebody types, in bytes. */
const MAX_SECRET_BYTES = 4096;

/**
 * Reads the secrets that options name files for.
 *
 * @throws {UsageError} if one can't be read, or holds something else; never with what it holds
 */
export async function withSecrets(options: HostOptions): Promise<HostOptions> {
  const { viewers } = options;
  if (viewers?.tokenFile === undefined) return options;
  const { path, where } = viewers.tokenFile;
  const shown = `${where} ${escapeText(path, 200)}`;
  const text = await readText(path, shown);
  try {
    return { ...options, viewers: { ...viewers, token: parseToken(text) } };
  } catch (error) {
    throw new UsageError(`${shown}: ${(error as Error).message}, in one line`);
  }
}

/** Without the line feed that editors put behind it. */
async function readText(path: string, shown: string): Promise<string> {
  const bytes = new Uint8Array(MAX_SECRET_BYTES + 1);
  let length = 0;
  try {
    const file = await open(path);
    try {
      for (let read = -1; read !== 0 && length < bytes.length; length += read) {
        read = (await file.read(bytes, length, bytes.length - length)).bytesRead;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new UsageError(`${shown}: ${reason(error)}`);
  }
  if (length > MAX_SECRET_BYTES) {
    throw new UsageError(`${shown}: larger than 4 KiB, which no token is`);
  }
  return new TextDecoder().decode(bytes.subarray(0, length)).replace(/\r?\n$/, "");
}
