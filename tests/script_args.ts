/** Arguments of the long scripts in tests/fuzz/ and tests/soak/. */
import process from "node:process";
import { parseArgs } from "@std/cli";

/** What a script is to do. */
export interface ScriptArgs<Name extends string> {
  /** Of all random numbers. */
  readonly seed: number;
  /** The only case to run. */
  readonly only: number | undefined;
  /** Numbers of this script, such as how many cases. */
  readonly numbers: Readonly<Record<Name, number>>;
}

/**
 * Reads `--seed S`, `--case N` and the script's own numbers; ends the process where one is wrong.
 *
 * @param defaults the script's own numbers, by the name of the option
 */
export function scriptArgs<Name extends string>(
  defaults: Readonly<Record<Name, number>>,
): ScriptArgs<Name> {
  const names = ["seed", "case", ...Object.keys(defaults)];
  const wrong = (arg: string): never => {
    console.error(`${arg} is not understood; there are --${names.join(" N, --")} N`);
    process.exit(2);
  };
  const args = parseArgs(process.argv.slice(2), { string: names, unknown: wrong });
  const number = (name: string): number | undefined => {
    const text = args[name] as string | undefined;
    if (text === undefined) return undefined;
    const value = Number(text);
    return text.trim() === "" || !(value >= 0) ? wrong(`--${name} ${text}`) : value;
  };
  const seed = number("seed") ?? Math.floor(Math.random() * 2 ** 31);
  const given = Object.entries<number>(defaults).map(([name, preset]) => [
    name,
    number(name) ?? preset,
  ]);
  return { seed, only: number("case"), numbers: Object.fromEntries(given) };
}
