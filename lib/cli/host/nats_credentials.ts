/**
 * Credentials for NATS that are in files.
 *
 * @module
 */
import type { FileReadAdapter } from "../../adapters/files/types.ts";
import { reason } from "../../base/errors.ts";
import type { NatsCredentials } from "../../nats/connection.ts";
import { UsageError } from "../args/arg_reader.ts";
import type { NatsArgs } from "../args/from_args.ts";
import { plural } from "../../base/plural.ts";

/** Limit of a credentials file or certificate, in bytes; real ones have a few kilobytes. */
const MAX_FILE_BYTES = 1024 * 1024;

/**
 * Reads the files with credentials.
 *
 * @throws {UsageError} if one can't be read, with its option
 */
export async function natsCredentials(
  args: NatsArgs,
  files: FileReadAdapter,
): Promise<NatsCredentials> {
  const read = async (path: string | undefined, option: string) => {
    try {
      return path === undefined ? undefined : await readText(path, files);
    } catch (error) {
      throw new UsageError(`--${option} ${path} can't be read: ${reason(error)}`);
    }
  };
  const { token, user, password } = args;
  const credentials = await read(args.credentialsFile, "nats-credentials");
  const ca = await read(args.caFile, "nats-ca");
  const cert = await read(args.certFile, "nats-cert");
  const key = await read(args.keyFile, "nats-key");
  return {
    ...(credentials !== undefined && { credentials }),
    ...(token !== undefined && { token }),
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

async function readText(path: string, files: FileReadAdapter): Promise<string> {
  const file = await files.openAt(path);
  try {
    if (file.size > MAX_FILE_BYTES) throw new Error(`it has ${plural(file.size, "byte")}`);
    const bytes = new Uint8Array(file.size);
    let at = 0;
    for (let read = 1; at < bytes.length && read > 0; at += read) {
      read = await file.readAt(at, bytes.subarray(at));
    }
    return new TextDecoder().decode(bytes.subarray(0, at));
  } finally {
    await file.close();
  }
}
