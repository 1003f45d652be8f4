/**
 * Secrets: they come from the environment, from the file of `--config` or from files of their own,
 * and never from the command line, for everybody on the machine can see the arguments of a program.
 *
 * @module
 */
import { type ArgReader, UsageError } from "./arg_reader.ts";

/** A file that holds a secret, and where it was named. */
export interface SecretFile {
  readonly path: string;
  readonly where: string;
}

/** A secret, or the file that holds it; neither if none is set. */
export interface SecretArg {
  readonly value?: string;
  readonly file?: SecretFile;
}

/**
 * Reads a secret that the option NAME or NAME-file sets; as with all options, the place that comes
 * first counts.
 *
 * @param args all options
 * @param name of the option that holds the secret itself
 * @param parse throws what is expected instead
 * @throws {UsageError} if it is wrong, or both are set in one place; never with what it holds
 */
export function secretArg(
  args: ArgReader,
  name: string,
  parse: (text: string) => string,
): SecretArg {
  const direct = args.setting(name);
  const file = args.setting(`${name}-file`);
  const near = (source: string) => ["flag", "environment", "file"].indexOf(source);
  if (direct !== undefined && file?.source === direct.source) {
    throw new UsageError(`${file.where} and ${direct.where} both set it: leave one out`);
  }
  if (file !== undefined && (direct === undefined || near(file.source) < near(direct.source))) {
    return { file: { path: String(file.value), where: file.where } };
  }
  const value = args.read(name, parse, "…");
  return value === undefined ? {} : { value };
}

/**
 * Reads the token of viewers, which is used in addresses and headers.
 *
 * @throws {RangeError} with what is expected instead
 */
export function parseToken(text: string): string {
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw new RangeError("expected letters, digits and signs without spaces");
}

/**
 * Reads a password or token of another program, which may have any characters.
 *
 * @throws {RangeError} with what is expected instead
 */
export function parsePassword(text: string): string {
  if (text !== "" && !/\p{Cc}/u.test(text)) return text;
  throw new RangeError("expected a text without control characters");
}
