/**
 * Checks of what public functions are called with: a name that is no option is refused with the one
 * that was most likely meant, and what is missing is named. Types say the same, but not to programs in
 * JavaScript, nor of options that come from a file.
 *
 * @module
 */
import { checkBoolean, checkPositive, valueText } from "./check_options.ts";
import { closest } from "./closest.ts";

/** Names of options; as a type it demands all that `T` has. */
export type OptionNames<T> = Readonly<Record<keyof T, unknown>>;

/**
 * Refuses what is not an object.
 *
 * @param taker who takes the options, such as `serve`
 * @param options what was passed
 * @throws {TypeError} that names who takes them
 */
export function checkIsOptions(taker: string, options: unknown): void {
  if (typeof options === "object" && options !== null && !Array.isArray(options)) return;
  throw new TypeError(`${taker} takes its options as an object, not ${valueText(options)}`);
}

/**
 * Refuses options that there are none of by that name.
 *
 * @param taker who takes them, such as `serve`
 * @param options what was passed
 * @param names all that there are; values are not looked at
 * @throws {TypeError} that names the option, and the one that was most likely meant
 */
export function checkOptions<T extends object>(
  taker: string,
  options: T,
  names: OptionNames<T>,
): void {
  checkIsOptions(taker, options);
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(names, name)) continue;
    const known = Object.keys(names);
    const meant = closest(name, known);
    const hint = meant === undefined
      ? `; its options are ${known.join(", ")}`
      : `; did you mean ${meant}?`;
    throw new TypeError(`${taker} has no option ${valueText(name)}${hint}`);
  }
}

/**
 * Refuses an argument that a function can't work without.
 *
 * @param taker the function
 * @param needed what it needs, such as `a list of sinks`
 * @param isGiven whether the value is what it needs
 * @param value what was passed
 * @throws {TypeError} that names both
 */
export function checkGiven(
  taker: string,
  needed: string,
  isGiven: boolean,
  value: unknown,
): void {
  if (!isGiven) throw new TypeError(`${taker} needs ${needed}, not ${valueText(value)}`);
}

/**
 * Refuses what is no bytes.
 *
 * @param taker the function that needs them
 * @param bytes what was passed
 * @throws {TypeError} that names the function
 */
export function checkBytes(taker: string, bytes: unknown): void {
  if (bytes instanceof Uint8Array) return;
  checkGiven(taker, "bytes in a Uint8Array", false, bytes);
}

/** Whether something has methods of these names. */
export function hasMethods(value: unknown, ...names: readonly (string | symbol)[]): boolean {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const object = value as Readonly<Record<string | symbol, unknown>>;
  return names.every((name) => typeof object[name] === "function");
}

/**
 * Refuses options that should be functions and are not, and a log that is not one; what is left out is not
 * looked at.
 *
 * @param options what was passed
 * @param functions names of those that must be functions
 * @throws {RangeError} that names the option
 */
export function checkCallable(
  options: object,
  functions: readonly string[] = [],
): void {
  const given = options as Readonly<Record<string, unknown>>;
  for (const name of functions) {
    const value = given[name];
    if (value === undefined || typeof value === "function") continue;
    throw new RangeError(`${name} must be a function, not ${valueText(value)}`);
  }
  const { log } = given;
  if (log === undefined || hasMethods(log, "enabled", "write")) return;
  throw new RangeError(
    `log must have enabled() and write(), as consoleLog() has them, not be ${valueText(log)}`,
  );
}

/** Options that say how bytes are decoded, or files are read; those left out are not looked at. */
export function checkReading(options: object): void {
  const given = options as Readonly<Record<string, unknown>>;
  for (const name of ["recover", "checkInside", "isLenient"]) {
    if (given[name] !== undefined) checkBoolean(name, given[name]);
  }
  for (const name of ["sizeBytes", "searchBytes"]) {
    if (given[name] !== undefined && given[name] !== 0) checkPositive(name, given[name]);
  }
}

/**
 * Picks from some options those that another function takes.
 *
 * @param options all
 * @param names which
 */
export function picked<T extends object>(options: T, names: OptionNames<T>): T {
  return Object.fromEntries(
    Object.entries(options).filter(([name]) => Object.hasOwn(names, name)),
  ) as T;
}
