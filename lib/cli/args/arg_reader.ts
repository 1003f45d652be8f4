/**
 * Reads options from where they are set, and says which one is wrong.
 *
 * @module
 */
import { closest } from "../../base/closest.ts";
import type { Setting, Settings } from "./setting.ts";
import { shownArgument } from "./shown.ts";

/** The arguments are wrong; the message is one line that says what and how to fix it. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Reads options; the command line comes before all other places. */
export class ArgReader {
  readonly #parsed: Readonly<Record<string, unknown>>;
  readonly #others: readonly Settings[];

  /**
   * @param parsed what `parseArgs` made of the arguments; options may be collected in arrays
   * @param others other places where options are set; the first one that has an option counts
   */
  constructor(parsed: Readonly<Record<string, unknown>>, others: readonly Settings[] = []) {
    this.#parsed = parsed;
    this.#others = others;
  }

  /** What an option is set to, and where; `undefined` if it is not set. */
  setting(name: string): Setting | undefined {
    const given = this.#parsed[name];
    const value = Array.isArray(given) ? oneOfAll(given) : given;
    if (typeof value === "string" || typeof value === "boolean") {
      return { value, where: `--${name}`, source: "flag" };
    }
    return this.#others.find((settings) => settings.has(name))?.get(name);
  }

  /** How errors call the place where an option is set. */
  where(name: string): string {
    return this.setting(name)?.where ?? `--${name}`;
  }

  /** Whether a flag is set. */
  flag(name: string): boolean {
    return this.setting(name)?.value === true;
  }

  /** The text of an option's value, if it is set. */
  text(name: string): string | undefined {
    const value = this.setting(name)?.value;
    return typeof value === "string" ? value : undefined;
  }

  /**
   * The first of some options that is given for this run. The environment does not count: it is
   * there for other runs, too.
   */
  given<T extends string>(names: readonly T[]): T | undefined {
    return names.find((name) => {
      const { value, source } = this.setting(name) ?? {};
      return (typeof value === "string" || value === true) && source !== "environment";
    });
  }

  /**
   * The value of an option, if it is set.
   *
   * @param parse throws what is expected instead
   * @param secret what errors show instead of a value that others must not see
   * @throws {UsageError} with the option and where it is set, its value and what is expected instead
   */
  read<T>(name: string, parse: (text: string) => T, secret?: string): T | undefined {
    const setting = this.setting(name);
    if (typeof setting?.value !== "string") return undefined;
    try {
      return parse(setting.value);
    } catch (error) {
      const shown = secret ?? shownArgument(setting.value, 60);
      throw new UsageError(`${setting.where} ${shown}: ${(error as Error).message}`);
    }
  }
}

/** Joins the values of an option that is given several times, with spaces. */
function oneOfAll(given: readonly unknown[]): unknown {
  return typeof given[0] === "string" ? given.join(" ") : given[0];
}

/** Reads a port. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65535) return port;
  throw new RangeError("expected a number from 0 to 65535, such as 9876");
}

/** Reads a whole number above 0. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d{1,9}$/.test(text) && count > 0) return count;
  throw new RangeError("expected a number above 0, such as 20");
}

/** Makes a reader of one of some words. */
export function oneOf<T extends string>(words: readonly T[]): (text: string) => T {
  return (text) => {
    const word = words.find((w) => w === text);
    if (word !== undefined) return word;
    const meant = closest(text.toLowerCase(), words);
    throw new RangeError(
      `expected ${words.join(", ")}${meant === undefined ? "" : `; did you mean ${meant}?`}`,
    );
  };
}
