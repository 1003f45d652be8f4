/**
 * Options as the text of a configuration file: those in force, and an example with all.
 *
 * @module
 */
import type { ArgReader } from "./arg_reader.ts";
import { variableOf } from "./environment.ts";
import type { CliOption } from "./option.ts";
import { OPTION_GROUPS, SETTABLE } from "./option_table.ts";

/** The value of an option that is in force, and where it was set. */
export interface InForce {
  /** Absent if the option is not set and has no default, or is secret. */
  readonly value?: string | boolean;
  readonly source: "flag" | "environment" | "file" | "default" | "unset";
  /** Such as `--port`, `RERELAY_PORT`, or `rerelay.toml, line 3: port`. */
  readonly where?: string;
}

/**
 * The value of each option and where it was set, in the order of the help text.
 *
 * @param args where options are set
 */
export function optionsInForce(args: ArgReader): Record<string, InForce> {
  return Object.fromEntries(SETTABLE.map((option) => [option.name, inForce(option, args)]));
}

function inForce(
  { name, value, default: preset, secret, show }: CliOption,
  args: ArgReader,
): InForce {
  const setting = args.setting(name);
  if (setting !== undefined) {
    const { source, where } = setting;
    const shown = show && typeof setting.value === "string" ? show(setting.value) : setting.value;
    return { ...(secret ? {} : { value: shown }), source, where };
  }
  if (value === undefined) return { value: false, source: "default" };
  return preset === undefined ? { source: "unset" } : { value: preset, source: "default" };
}

/** The text of `rerelay config`: a configuration file that does the same, but for secrets. */
export function configText(args: ArgReader): string {
  const lines = Object.entries(optionsInForce(args)).map(([name, { value, source, where }]) => {
    if (source === "unset") return [`# ${name}`, "not set"];
    if (value === undefined) return [`# ${name}`, `set and hidden, by ${where}`];
    return [tomlLine(name, value), where ?? "default"];
  });
  const width = Math.min(48, Math.max(...lines.map(([left]) => left!.length)));
  return lines.map(([left, right]) => `${left!.padEnd(width)}  # ${right}\n`).join("");
}

/** An example with every option, each left out and explained. */
export function exampleConfig(): string {
  const sections = Object.entries(OPTION_GROUPS).map(([title, options]) => {
    const shown = (options as readonly CliOption[]).filter((o) => SETTABLE.includes(o));
    return `# ${title}\n\n${shown.map(exampleOf).join("\n")}`;
  });
  return `# Options of rerelay: rerelay --config rerelay.toml
#
# Take the # away from what you set. On the command line each option has two dashes in front, and in
# the environment it is called ${variableOf("port")} or the like. The command line counts before the
# environment, which counts before this file. "rerelay config" shows what is in force;
# "rerelay config --check rerelay.toml" only looks for mistakes.

${sections.filter((text) => text.includes(" = ")).join("\n")}`;
}

function exampleOf({ name, value, example, default: preset, secret, help }: CliOption): string {
  const text = value === undefined ? tomlLine(name, false) : tomlLine(name, preset ?? example!);
  const note = secret ? `; keep this file from others (chmod 600)` : "";
  return `# ${help}${note}.\n# ${text}\n`;
}

function tomlLine(name: string, value: string | boolean): string {
  const isNumber = typeof value === "string" && /^(?:0|[1-9]\d{0,14})$/.test(value);
  return `${name} = ${typeof value === "boolean" || isNumber ? value : tomlText(value)}`;
}

/** A basic string of TOML, which escapes as JSON does, and DEL too. */
function tomlText(text: string): string {
  return JSON.stringify(text).replaceAll("\x7f", "\\u007f");
}
