/**
 * Secrets that stand in files of their own: what others may not read has no place in a list of processes.
 *
 * @module
 */
import { reason } from "../base/errors.ts";
import { escapeText } from "../base/escape.ts";
import { UsageError } from "./args/arg_reader.ts";
import type { HostOptions } from "./args/args.ts";
import { readLimited } from "./read_limited.ts";
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
  const bytes = await readLimited(path, MAX_SECRET_BYTES).catch((error) => {
    throw new UsageError(`${shown}: ${reason(error)}`);
  });
  if (bytes === undefined) throw new UsageError(`${shown}: larger than 4 KiB, which no token is`);
  return new TextDecoder().decode(bytes).replace(/\r?\n$/, "");
}
