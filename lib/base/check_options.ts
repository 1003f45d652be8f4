/**
 * Checks of options: what a program passes by mistake is refused with the option's name, what it may
 * be, and what it was. Types say the same, but not to programs in JavaScript, nor of `NaN`.
 *
 * @module
 */
import { shown } from "./error_base.ts";
import { LIMITS, VIEWER_LIMITS } from "./limit_table.ts";

/** Limits that are counted in whole things; infinity is no limit. */
const WHOLE: ReadonlySet<string> = new Set(
  Object.entries({ ...LIMITS, ...VIEWER_LIMITS })
    .filter(([name, { unit }]) => unit === "count" && !/Ratio$|PerSec$/.test(name))
    .map(([name]) => name),
);

/**
 * Refuses what is not a number above 0.
 *
 * @param name of the option
 * @param value what was passed
 * @throws {RangeError} if it is not
 */
export function checkPositive(name: string, value: unknown): void {
  if (typeof value === "number" && value > 0) return;
  throw new RangeError(`${name} must be above 0, not ${valueText(value)}`);
}

/**
 * Refuses what is not a whole number above 0, nor infinity.
 *
 * @param name of the option
 * @param value what was passed
 * @throws {RangeError} if it is not
 */
export function checkCount(name: string, value: unknown): void {
  if (value === Infinity || (Number.isInteger(value) && value as number > 0)) return;
  throw new RangeError(`${name} must be a whole number above 0, not ${valueText(value)}`);
}

/**
 * Refuses what is not one of some texts.
 *
 * @param name of the option
 * @param value what was passed
 * @param choices what it may be
 * @throws {RangeError} if it is not
 */
export function checkChoice(name: string, value: unknown, choices: readonly string[]): void {
  if (choices.includes(value as string)) return;
  const texts = choices.map((choice) => `"${choice}"`).join(", ").replace(/, ([^,]*)$/, " or $1");
  throw new RangeError(`${name} must be ${texts}, not ${valueText(value)}`);
}

/**
 * Refuses what is neither `true` nor `false`.
 *
 * @param name of the option
 * @param value what was passed
 * @throws {RangeError} if it is not
 */
export function checkBoolean(name: string, value: unknown): void {
  if (typeof value === "boolean") return;
  throw new RangeError(`${name} must be true or false, not ${valueText(value)}`);
}

/**
 * Refuses an option that must be an object with options of its own and is none; one that is left
 * out is not looked at.
 *
 * @param name of the option
 * @param value what was passed
 * @param example what it may be
 * @throws {RangeError} if it is not an object
 */
export function checkObject(name: string, value: unknown, example: string): void {
  if (value === undefined || typeof value === "object" && value !== null) return;
  throw new RangeError(`${name} must be such as ${example}, not ${valueText(value)}`);
}

/**
 * Refuses what is not a text, and an empty text.
 *
 * @param name of the option
 * @param value what was passed
 * @throws {RangeError} if it is not one
 */
export function checkText(name: string, value: unknown): void {
  if (typeof value === "string" && value !== "") return;
  throw new RangeError(`${name} must be a text that is not empty, not ${valueText(value)}`);
}

/**
 * Refuses a secret that is no text, or an empty one.
 *
 * @param name of the option
 * @param value what was passed
 * @throws {RangeError} that tells nothing of what is in it
 */
export function checkSecret(name: string, value: unknown): void {
  if (typeof value === "string" && value !== "") return;
  throw new RangeError(`${name} must be a text that is not empty, not ${secretText(value)}`);
}

/** What errors say of a secret that is no text: nothing of what is in it. */
export function secretText(value: unknown): string {
  return typeof value === "number" || typeof value === "bigint" ? "a number" : valueText(value);
}

/**
 * Refuses what is no list of texts.
 *
 * @param name of the option
 * @param value what was passed
 * @param example what it may be
 * @throws {RangeError} if it is none
 */
export function checkTexts(name: string, value: unknown, example: string): void {
  if (Array.isArray(value) && value.every((each) => typeof each === "string")) return;
  throw new RangeError(`${name} must be a list, such as ${example}, not ${valueText(value)}`);
}

/**
 * Refuses what is no port.
 *
 * @param value what was passed
 * @throws {RangeError} if it is not
 */
export function checkPort(value: unknown): void {
  if (Number.isInteger(value) && value as number >= 0 && value as number <= 65535) return;
  throw new RangeError(`port must be an integer from 0 to 65535, not ${valueText(value)}`);
}

/**
 * Refuses limits out of their range; those left out are not looked at.
 *
 * @param options limits by their names in the table of limits; others are passed over
 * @throws {RangeError} if one is
 */
export function checkLimits(options: object): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || !(name in LIMITS || name in VIEWER_LIMITS)) continue;
    if (WHOLE.has(name)) checkCount(name, value);
    else checkPositive(name, value);
  }
}

/** What was passed, as an error tells it: never longer than a line. */
export function valueText(value: unknown): string {
  if (typeof value === "string") return shown(value);
  if (Array.isArray(value)) return "a list";
  if (typeof value === "function") return "a function";
  if (value instanceof Promise) return "a promise, which is to be awaited";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
