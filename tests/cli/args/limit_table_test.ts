import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { parseCliArgs } from "../../../lib/cli/args/args.ts";
import { OPTION_GROUPS, OPTION_TABLE } from "../../../lib/cli/args/option_table.ts";
import type { CliOption } from "../../../lib/cli/args/option.ts";
import { resolveOptions } from "../../../lib/server/options.ts";

function limits(...args: string[]) {
  const command = parseCliArgs(args);
  if (command.command !== "host") throw new Error(`not to host but ${command.command}`);
  return command.options.limits;
}

const NOT_HERE = ["drop-at-latency"];
const OPTIONS = (OPTION_GROUPS.Limits as readonly CliOption[]).filter(({ name }) =>
  !NOT_HERE.includes(name)
);

describe("limits on the command line", () => {
  it("have the defaults of serve", () => {
    for (const { name, default: preset } of OPTIONS) {
      if (preset === undefined) continue;
      const given = Object.entries(limits(`--${name}=${preset}`));
      assertEquals(given.length, 1, name);
      const [option, value] = given[0]!;
      assertEquals(value, resolveOptions({})[option as keyof ReturnType<typeof resolveOptions>]);
    }
  });

  it("are off where the help says so", () => {
    const off = OPTIONS.filter(({ default: preset }) => preset === undefined);
    assertEquals(off.map(({ name }) => name), [
      "max-per-address",
      "max-connects-per-sec",
      "idle-timeout",
    ]);
    for (const { name, example } of off) {
      const [option] = Object.keys(limits(`--${name}=${example}`));
      assertEquals(resolveOptions({})[option as "maxClients"], Infinity, name);
    }
  });

  it("are each read into an option of their own", () => {
    const args = OPTIONS.map(({ name, example }) => `--${name}=${example}`);
    assertEquals(Object.keys(limits(...args)).length, OPTIONS.length);
    assertEquals(limits(), {});
    assertEquals(limits("--max-packet", "1MiB", "--idle-timeout", "1m", "--max-depth", "4"), {
      maxPacketBytes: 2 ** 20,
      idleTimeoutSec: 60,
      maxDepth: 4,
    });
  });

  it("take a list of who may connect", () => {
    assertEquals(limits("--allow", "10.0.0.0/8, 192.168.1.7,::1").allow, [
      "10.0.0.0/8",
      "192.168.1.7",
      "::1",
    ]);
  });
});

describe("sections of the help", () => {
  it("have each option once", () => {
    const names = Object.values(OPTION_GROUPS).flat().map(({ name }) => name);
    assertEquals(names.length, new Set(names).size);
    assertEquals(names, OPTION_TABLE.map(({ name }) => name));
    assert(names.length > 30);
  });
});
