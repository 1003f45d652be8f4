/**
 * Whether options are what they are said to be: a mistake is told where it is made, by its name.
 *
 * @module
 */

/**
 * Checks a number that must be above 0, such as a limit.
 *
 * @param name of the option
 * @param value of it
 * @param isWhole whether it counts things; infinity counts as whole
 * @throws {TypeError} if it is not a number
 * @throws {RangeError} if it is not above 0, or not whole
 */
export function checkPositive(name: string, value: unknown, isWhole = false): void {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number, not ${shown(value)}`);
  }
  if (!(value > 0)) throw new RangeError(`${name} must be above 0, not ${value}`);
  if (isWhole && value !== Infinity && !Number.isInteger(value)) {
    throw new RangeError(`${name} must be a whole number, not ${value}`);
  }
}

/**
 * Checks a text that must be one of a few.
 *
 * @param name of the option
 * @param value of it
 * @param choices the texts that it may be
 * @throws {TypeError} if it is none of them
 */
export function checkChoice(name: string, value: unknown, choices: readonly string[]): void {
  if (choices.includes(value as string)) return;
  const known = choices.map((choice) => JSON.stringify(choice)).join(" or ");
  throw new TypeError(`${name} must be ${known}, not ${shown(value)}`);
}

/**
 * Checks a text that must not be empty.
 *
 * @param name of the option
 * @param value of it
 * @throws {TypeError} if it is not a text, or empty
 */
export function checkText(name: string, value: unknown): void {
  if (typeof value === "string" && value !== "") return;
  throw new TypeError(`${name} must be a text that is not empty, not ${shown(value)}`);
}

function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
