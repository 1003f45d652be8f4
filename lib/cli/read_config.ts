/**
 * The configuration file of `--config`, from the disk.
 *
 * @module
 */
import { open } from "node:fs/promises";
import process from "node:process";
import { reason } from "../base/errors.ts";
import { escapeText } from "../base/escape.ts";
import { UsageError } from "./args/arg_reader.ts";
import { configSettings, MAX_CONFIG_BYTES } from "./args/config_file.ts";
import { SETTABLE } from "./args/option_table.ts";
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
  const bytes = new Uint8Array(MAX_CONFIG_BYTES + 1);
  let length = 0;
  try {
    if (path === "-") {
      for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
        const taken = chunk.subarray(0, bytes.length - length);
        bytes.set(taken, length);
        length += taken.length;
        if (length === bytes.length) break;
      }
    } else {
      const file = await open(path);
      try {
        // A pipe gives what it has, however little.
        for (let read = -1; read !== 0 && length < bytes.length; length += read) {
          read = (await file.read(bytes, length, bytes.length - length)).bytesRead;
        }
      } finally {
        await file.close();
      }
    }
  } catch (error) {
    throw new UsageError(`--config ${shown}: ${reason(error)}`);
  }
  if (length > MAX_CONFIG_BYTES) {
    throw new UsageError(`--config ${shown}: larger than 1 MiB, which no configuration is`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length));
  } catch {
    throw new UsageError(`--config ${shown}: this is no text in UTF-8`);
  }
}
