/**
 * The configuration file of `--config`, from the disk.
 *
 * @module
 */
import { reason } from "../base/errors.ts";
import { escapeText } from "../base/escape.ts";
import { UsageError } from "./args/arg_reader.ts";
import { configSettings, MAX_CONFIG_BYTES } from "./args/config_file.ts";
import { SETTABLE } from "./args/option_table.ts";
import { readLimited } from "./read_limited.ts";
import type { Settings } from "./args/setting.ts";

/**
 * Reads a configuration file; a pipe will do too, so that secrets need not lie on the disk.
 *
 * @param path of the file; `-` is standard input
 * @throws {UsageError} if it can't be read, is too large, or holds anything but options
 */
export async function readConfig(path: string): Promise<Settings> {
  const shown = path === "-" ? "standard input" : escapeText(path, 200);
  return configSettings(await readText(path), shown, SETTABLE);
}

async function readText(path: string): Promise<string> {
  const shown = escapeText(path, 200);
  const bytes = await readLimited(path, MAX_CONFIG_BYTES).catch((error) => {
    throw new UsageError(`--config ${shown}: ${reason(error)}`);
  });
  if (bytes === undefined) {
    throw new UsageError(`--config ${shown}: larger than 1 MiB, which no configuration is`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError(`--config ${shown}: this is no text in UTF-8`);
  }
}
