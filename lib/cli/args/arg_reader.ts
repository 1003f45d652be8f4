/**
 * Reads one argument after the other, and says which one is wrong.
 *
 * @module
 */
import { escapeText } from "../../base/escape.ts";
import { closest } from "./closest.ts";

/** The arguments are wrong; the message is one line that says what and how to fix it. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** What the command line gave, option by option. */
export class ArgReader {
  readonly #parsed: Readonly<Record<string, unknown>>;

  /**
   * @param parsed what `parseArgs` made of the arguments; options may be collected in arrays
   * @param env reads a variable of the environment
   */
  constructor(
    parsed: Readonly<Record<string, unknown>>,
    readonly env: (name: string) => string | undefined = () => undefined,
  ) {
    this.#parsed = parsed;
  }

  /** Whether a flag is given. */
  flag(name: string): boolean {
    return this.#first(name) === true;
  }

  /** The text of an option's value, if it is given. */
  text(name: string): string | undefined {
    const value = this.#first(name);
    return typeof value === "string" ? value : undefined;
  }

  /** The first of some options that is given. */
  given<T extends string>(names: readonly T[]): T | undefined {
    return names.find((name) => this.text(name) !== undefined);
  }

  /**
   * The value of an option, if it is given.
   *
   * @param parse throws what is expected instead
   * @param secret what errors show in place of a value that others must not see
   * @throws {UsageError} with the option, its value and what is expected instead
   */
  read<T>(name: string, parse: (text: string) => T, secret?: string): T | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    try {
      return parse(value);
    } catch (error) {
      const shown = secret ?? escapeText(value, 60);
      throw new UsageError(`--${name} ${shown}: ${(error as Error).message}`);
    }
  }

  #first(name: string): unknown {
    const value = this.#parsed[name];
    return Array.isArray(value) ? value[0] : value;
  }
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

/** Reads one of some words. */
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
