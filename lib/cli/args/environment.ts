/**
 * Options as variables of the environment: `--max-packet` is `RERELAY_MAX_PACKET`.
 *
 * @module
 */
import { UsageError } from "./arg_reader.ts";
import { closest } from "../../base/closest.ts";
import type { CliOption } from "./option.ts";
import type { Setting, Settings } from "./setting.ts";

const PREFIX = "RERELAY_";

/** Variables of our own tests and tools, which are not options of the server. */
const NOT_OPTIONS = new Set(["CACHE", "CHROMIUM", "PEER", "PYTHON", "STREAMS", "TOOLS"]);

/** The variable that stands for an option. */
export function variableOf(option: string): string {
  return PREFIX + option.toUpperCase().replaceAll("-", "_");
}

/**
 * Reads the variables of options; an empty one counts as none, as shells and service files have it.
 *
 * @param options options that may be set there
 * @param env reads a variable
 * @throws {UsageError} if the variable of a flag is neither true nor false
 */
export function environmentSettings(
  options: readonly CliOption[],
  env: (name: string) => string | undefined,
): Settings {
  const settings = new Map<string, Setting>();
  for (const { name, value } of options) {
    const where = variableOf(name);
    const text = env(where);
    if (!text) continue;
    settings.set(name, {
      value: value === undefined ? parseFlag(where, text) : text,
      where,
      source: "environment",
    });
  }
  return settings;
}

/**
 * A warning for each variable that begins as ours do and is no option.
 *
 * @param options options that may be set there
 * @param names all variables that can be seen
 */
export function unknownVariables(
  options: readonly CliOption[],
  names: readonly string[],
): string[] {
  const known = options.map(({ name }) => variableOf(name));
  const bare = (variable: string) => variable.slice(PREFIX.length);
  return names
    .filter((name) => name.startsWith(PREFIX) && !known.includes(name))
    .filter((name) => !NOT_OPTIONS.has(bare(name)))
    .map((name) => {
      // Compared without the prefix, which would make all of them look alike.
      const meant = closest(bare(name), known.map(bare));
      return `The variable ${name} is none of ours and was ignored; ` +
        (meant === undefined
          ? "rerelay config lists those that are"
          : `did you mean ${PREFIX}${meant}?`);
    });
}

function parseFlag(where: string, text: string): boolean {
  const word = text.toLowerCase();
  if (["1", "true", "yes", "on"].includes(word)) return true;
  if (["0", "false", "no", "off"].includes(word)) return false;
  throw new UsageError(`${where}: expected true or false`);
}
