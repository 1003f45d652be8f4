/**
 * Reads secrets from files of their own, which keeps them out of the list of processes.
 *
 * @module
 */
import { reason } from "../base/errors.ts";
import { escapeText } from "../base/escape.ts";
import { UsageError } from "./args/arg_reader.ts";
import type { HostOptions } from "./args/args.ts";
import type { NatsArgs } from "./args/from_args.ts";
import { parsePassword, parseToken, type SecretFile } from "./args/secret_args.ts";
import { readLimited } from "./read_limited.ts";

/** Limit of such a file, in bytes. */
const MAX_SECRET_BYTES = 4096;

/**
 * Reads the secrets that options name files for.
 *
 * @throws {UsageError} if one can't be read, or holds something else; never with what it holds
 */
export async function withSecrets(options: HostOptions): Promise<HostOptions> {
  const { viewers, from, forward } = options;
  const token = viewers && await secretIn(viewers.tokenFile, parseToken);
  return {
    ...options,
    ...(token !== undefined && { viewers: { ...viewers!, token } }),
    ...(from && { from: { ...from, nats: await withNatsSecrets(from.nats) } }),
    ...(forward && { forward: { ...forward, nats: await withNatsSecrets(forward.nats) } }),
  };
}

async function withNatsSecrets(nats: NatsArgs): Promise<NatsArgs> {
  const token = await secretIn(nats.tokenFile, parsePassword);
  const password = await secretIn(nats.passwordFile, parsePassword);
  return {
    ...nats,
    ...(token !== undefined && { token }),
    ...(password !== undefined && { password }),
  };
}

async function secretIn(
  file: SecretFile | undefined,
  parse: (text: string) => string,
): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const { path, where } = file;
  const shown = `${where} ${escapeText(path, 200)}`;
  const text = await readText(path, shown);
  try {
    return parse(text);
  } catch (error) {
    throw new UsageError(`${shown}: ${(error as Error).message}, in one line`);
  }
}

/** Reads a text, without the line feed that editors add. */
async function readText(path: string, shown: string): Promise<string> {
  const bytes = await readLimited(path, MAX_SECRET_BYTES).catch((error) => {
    throw new UsageError(`${shown}: ${reason(error)}`);
  });
  if (bytes === undefined) throw new UsageError(`${shown}: larger than 4 KiB, which no secret is`);
  return new TextDecoder().decode(bytes).replace(/\r?\n$/, "");
}
