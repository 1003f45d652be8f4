/** How many cases the tests take that try many of one kind. */
import process from "node:process";

/** Whether these are the numbers of `npm run fuzz -- --ci`, which `.ci/run` takes; else of `npm test`. */
const IS_CI = process.env["RERELAY_FUZZ"] === "ci";

/**
 * Picks a number of cases.
 *
 * @param ci in `.ci/run`
 * @param quick in `npm test`: the first of the same cases
 */
export function cases(ci: number, quick: number): number {
  return IS_CI ? ci : quick;
}
