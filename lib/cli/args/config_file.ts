/**
 * The configuration file: TOML whose keys are the names of the options, without dashes in front.
 *
 * ```toml
 * port = 9876
 * save = "rec/{application_id}-{part}.rrd"
 * serve-web = true
 * ```
 *
 * @module
 */
import { parse } from "@std/toml";
import { escapeText } from "../../base/escape.ts";
import { UsageError } from "./arg_reader.ts";
import { closest } from "../../base/closest.ts";
import type { CliOption } from "./option.ts";
import type { Setting, Settings } from "./setting.ts";

/** Limit of a configuration file, in bytes: nobody writes a larger one. */
export const MAX_CONFIG_BYTES = 1024 * 1024;

/**
 * Reads the settings in a configuration file.
 *
 * @param text what the file holds
 * @param path the file's name in errors
 * @param options options that may be set there
 * @throws {UsageError} with the line, for what is no TOML, no option, or no value of that option
 */
export function configSettings(
  text: string,
  path: string,
  options: readonly CliOption[],
): Settings {
  const lines = keyLines(text);
  const settings = new Map<string, Setting>();
  for (const [key, value] of Object.entries(parseToml(text, path))) {
    const [line, again] = lines.get(key) ?? [];
    const place = line === undefined ? path : `${path}, line ${line}`;
    if (again !== undefined) {
      throw new UsageError(`${path}, line ${again}: ${key} stands in line ${line} already`);
    }
    const option = options.find(({ name }) => name === key);
    if (option === undefined) throw unknownKey(key, value, place, options);
    const where = `${place}: ${key}`;
    settings.set(key, { value: settingValue(option, value, where), where, source: "file" });
  }
  return settings;
}

function parseToml(text: string, path: string): Record<string, unknown> {
  try {
    // Some editors begin a file with a byte order mark.
    return parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    const { message } = error as Error;
    const [, line, rest] = /line (\d+), column \d+: ([^\n]*)/.exec(message) ?? [];
    // Only the reason is shown, for the line may hold a secret.
    const what = (rest ?? message).replace(/ doesn't have "="/, " without =")
      .replace(/[:`'"].*/s, "").trim();
    throw new UsageError(
      `${path}${line === undefined ? "" : `, line ${line}`}: this is not TOML: ${what}; ` +
        'write NAME = VALUE, and texts in quotes, such as save = "recording.rrd"',
    );
  }
}

/** The lines of each key of the top level, counted from 1; the parser does not give them. */
function keyLines(text: string): Map<string, number[]> {
  const lines = new Map<string, number[]>();
  /** What ends a text of several lines, inside of one. */
  let end: string | undefined;
  for (const [i, line] of text.split("\n").entries()) {
    if (end !== undefined) {
      if (line.includes(end)) end = undefined;
      continue;
    }
    end = /=\s*("""|''')(?!.*\1)/.exec(line)?.[1];
    const [found = "", basic, literal, bare] =
      /^\s*\[*\s*(?:("(?:[^"\\]|\\.)*")|'([^']*)'|([\w-]+))\s*[=.\]]/.exec(line) ?? [];
    // The last text of a list ends with a bracket, too, and begins with none.
    if (found.endsWith("]") && !found.trimStart().startsWith("[")) continue;
    const key = (basic === undefined ? undefined : unescaped(basic)) ?? literal ?? bare;
    if (key !== undefined) lines.set(key, [...lines.get(key) ?? [], i + 1]);
  }
  return lines;
}

/** A basic string of TOML is one of JSON, but for escapes that no option has in its name. */
function unescaped(text: string): string | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unknownKey(
  key: string,
  value: unknown,
  place: string,
  options: readonly CliOption[],
): UsageError {
  const shown = escapeText(key, 60);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return new UsageError(`${place}: there are no sections such as ${shown}: leave that line out`);
  }
  const name = key.toLowerCase().replaceAll("_", "-").replace(/^-+/, "");
  const meant = closest(name, options.map((option) => option.name));
  const fix = meant === undefined ? "see rerelay config" : `did you mean ${meant}?`;
  return new UsageError(`${place}: unknown option ${shown}; ${fix}`);
}

function settingValue(option: CliOption, value: unknown, where: string): string | boolean {
  const { name, example } = option;
  if (option.value === undefined) {
    if (typeof value === "boolean") return value;
    throw new UsageError(`${where}: expected ${name} = true or ${name} = false`);
  }
  if (typeof value === "string" && value !== "") return value;
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
  if (option.list && isTexts(value, ",")) return value.join(",");
  if (option.several && isTexts(value, " ")) return value.join(" ");
  const list = option.list || option.several ? ", or several in [brackets]" : "";
  throw new UsageError(`${where}: expected a value such as ${name} = "${example}"${list}`);
}

function isTexts(value: unknown, separator: string): value is string[] {
  return Array.isArray(value) && value.length > 0 &&
    value.every((text) => typeof text === "string" && text !== "" && !text.includes(separator));
}
