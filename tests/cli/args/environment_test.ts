import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { parseCliArgs } from "../../../lib/cli/args/args.ts";
import { UsageError } from "../../../lib/cli/args/arg_reader.ts";
import {
  environmentSettings,
  unknownVariables,
  variableOf,
} from "../../../lib/cli/args/environment.ts";
import { SETTABLE } from "../../../lib/cli/args/option_table.ts";

function hosted(env: Record<string, string>, ...args: string[]) {
  const command = parseCliArgs(args, { env: (name) => env[name] });
  if (command.command !== "host") throw new Error(`not to host but ${command.command}`);
  return command.options;
}

describe("the environment", () => {
  it("sets each option by a variable of its own", () => {
    const names = new Set(SETTABLE.map(({ name }) => variableOf(name)));
    assertEquals(names.size, SETTABLE.length);
    const env = (name: string) => names.has(name) ? "true" : undefined;
    const settings = environmentSettings(SETTABLE, env);
    assertEquals([...settings.keys()], SETTABLE.map(({ name }) => name));
    assertEquals(settings.get("quiet")?.value, true);
    assertEquals(settings.get("port")?.value, "true");
  });

  it("counts where the command line says nothing, and an empty variable never does", () => {
    const env = { RERELAY_PORT: "1", RERELAY_QUIET: "yes", RERELAY_BIND: "" };
    assertEquals(hosted(env), { ...hosted({}), port: 1, quiet: true });
    assertEquals(hosted(env, "--port", "2", "--no-quiet"), { ...hosted({}), port: 2 });
  });

  it("does not ask for options that others of its options would need", () => {
    assertEquals(hosted({ RERELAY_VIEWER_TOKEN: "s3cret", RERELAY_KEEP: "3" }), hosted({}));
    for (const flag of ["RERELAY_FORCE", "RERELAY_ALLOW_DELETE", "RERELAY_NEWEST_FIRST"]) {
      assertEquals(hosted({ [flag]: "true" }), hosted({}), flag);
    }
  });

  it("is told where it is wrong, and by its variable", () => {
    assertThrows(() => hosted({ RERELAY_PORT: "x" }), UsageError, "RERELAY_PORT x: expected");
    assertThrows(() => hosted({ RERELAY_QUIET: "maybe" }), UsageError, "RERELAY_QUIET: expected");
  });

  it("names what looks like an option and is none", () => {
    const names = [
      "HOME",
      "RERELAY_PROT",
      "RERELAY_PORT",
      "RERELAY_ZZZ",
      "RERELAY_FOO",
      "RERELAY_TOOLS",
    ];
    assertEquals(unknownVariables(SETTABLE, names), [
      "The variable RERELAY_PROT is none of ours and was ignored; did you mean RERELAY_PORT?",
      "The variable RERELAY_ZZZ is none of ours and was ignored; rerelay config lists those that are",
      "The variable RERELAY_FOO is none of ours and was ignored; rerelay config lists those that are",
    ]);
  });
});
