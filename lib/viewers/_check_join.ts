import { checkCallable, checkOptions, type OptionNames } from "../base/check_arguments.ts";
import { checkChoice, checkPositive, valueText } from "../base/check_options.ts";
import type { JoinOptions } from "./types.ts";

const NAMES: OptionNames<JoinOptions> = {
  ...{ transport: true, addr: true, history: true, recording: true, latencySec: true },
  ...{ name: true, until: true, order: true, accepts: true, onLeftOut: true },
};

/** The values that some options may have. */
const CHOICES = {
  transport: ["websocket", "http", "grpc"],
  history: ["all", "none", "newest-first"],
  until: ["now"],
  order: ["viewer", "kinds", "arrival"],
} as const;

/**
 * Refuses invalid options of joining.
 *
 * @throws {RangeError} that names the option
 * @throws {TypeError} if there is no such option
 */
export function checkJoin(options: JoinOptions): void {
  checkOptions("join", options, NAMES);
  for (const name of Object.keys(CHOICES) as (keyof typeof CHOICES)[]) {
    if (options[name] !== undefined) checkChoice(name, options[name], CHOICES[name]);
  }
  for (const name of ["addr", "recording"] as const) {
    const text: unknown = options[name];
    if (text === undefined || typeof text === "string") continue;
    throw new RangeError(`${name} must be a text, not ${valueText(text)}`);
  }
  if (options.latencySec !== undefined) checkPositive("latencySec", options.latencySec);
  checkCallable(options, ["accepts", "onLeftOut"]);
}
