import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseCliArgs } from "../../../lib/cli/args/args.ts";
import { UsageError } from "../../../lib/cli/args/arg_reader.ts";
import { configSettings } from "../../../lib/cli/args/config_file.ts";
import { SETTABLE } from "../../../lib/cli/args/option_table.ts";

function read(text: string) {
  return configSettings(text, "r.toml", SETTABLE);
}

function hosted(text: string, env: Record<string, string> = {}, ...args: string[]) {
  const command = parseCliArgs(args, { file: read(text), env: (name) => env[name] });
  if (command.command !== "host") throw new Error(`not to host but ${command.command}`);
  return command.options;
}

describe("a configuration file", () => {
  it("sets options by their names, as texts, numbers and true or false", () => {
    const { port, quiet, save, limits } = hosted(`
      # A robot.
      port = 1234
      quiet = true
      save = "rec/{part}.rrd"   # all of it
      keep = 20
      "max-packet" = "1GiB"
      allow = ["10.0.0.0/8", "::1"]
    `);
    assertEquals([port, quiet, save?.path, save?.keep], [1234, true, "rec/{part}.rrd", {
      files: 20,
    }]);
    assertEquals(limits, { maxPacketBytes: 2 ** 30, allow: ["10.0.0.0/8", "::1"] });
  });

  it("counts after the environment, which counts after the command line", () => {
    const text = 'port = 1\nbind = "::1"\nlog-level = "warn"\nserve-web = true\nquiet = true\n';
    const env = { RERELAY_PORT: "2", RERELAY_BIND: "::", RERELAY_QUIET: "false" };
    const { port, bind, logLevel, viewers, quiet } = hosted(text, env, "--port", "3");
    assertEquals([port, bind, logLevel, quiet], [3, "::", "warn", false]);
    assert(viewers !== undefined);
    assertEquals(hosted(text, env, "--no-serve-web").viewers, undefined);
  });

  it("may begin with a byte order mark, end its lines as Windows does, and be empty", () => {
    assertEquals(
      read("\ufeffport = 1\r\nquiet = true\r\n").get("quiet")?.where,
      "r.toml, line 2: quiet",
    );
    assertEquals(read("").size, 0);
  });

  const wrong: [text: string, message: string][] = [
    ['port = 1\nsave-a = "x"', "r.toml, line 2: unknown option save-a; did you mean save?"],
    ["\nLOG_LEVEL = 1", "r.toml, line 2: unknown option LOG_LEVEL; did you mean log-level?"],
    ["help = true", "r.toml, line 1: unknown option help"],
    ['config = "other.toml"', "r.toml, line 1: unknown option config"],
    ["[server]\nport = 1", "r.toml, line 1: there are no sections such as server"],
    ["limits.max-packet = 1", "r.toml, line 1: there are no sections such as limits"],
    ["port = 1\nport = 2", "r.toml, line 2: port stands in line 1 already"],
    ["port = 1\nsave = rec.rrd", "r.toml, line 2: this is not TOML"],
    ['save = "a\nport = 1', "r.toml, line 1: this is not TOML"],
    ["ports", "r.toml, line 1: this is not TOML"],
    ['viewer-token = "s" extra', "this is not TOML: key/value pair without =; write"],
    ["quiet = 1", "r.toml, line 1: quiet: expected quiet = true or quiet = false"],
    ["port = 1.5", 'r.toml, line 1: port: expected a value such as port = "9876"'],
    ["port = true", "r.toml, line 1: port: expected a value"],
    ["save = 1979-05-27", "r.toml, line 1: save: expected a value"],
    ['save = ["a.rrd"]', "r.toml, line 1: save: expected a value"],
    ["allow = []", "r.toml, line 1: allow: expected a value such as"],
    ['save = ""', "r.toml, line 1: save: expected a value"],
    ["port = 70000", "r.toml, line 1: port 70000: expected a number from 0 to 65535"],
    ['max-packet = "lots"', "r.toml, line 1: max-packet lots: expected a size"],
    ["\nkeep = 3", "r.toml, line 2: keep is about --save: add --save"],
    ['save = "a.rrd"\nrotate-size = "1GiB"', "r.toml, line 2: rotate-size makes several files"],
    ["viewer-queue = 1", "r.toml, line 1: viewer-queue is about live viewers"],
    ["force = true", "r.toml, line 1: force replaces the file of --save"],
  ];
  for (const [text, message] of wrong) {
    it(`is refused: ${JSON.stringify(text)}`, () => {
      const error = assertThrows(() => hosted(text), UsageError, message);
      assert(!error.message.includes("\n"), error.message);
    });
  }

  it("never shows a secret, however wrong it is written", () => {
    for (const value of ['"s3cret', "s3cret", '["s3cret"]', '"s3 cret"', "{ a = 's3cret' }"]) {
      const error = assertThrows(
        () => hosted(`serve-web = true\nviewer-token = ${value}`),
        UsageError,
        "r.toml",
      );
      assert(!/s3/.test(error.message), error.message);
    }
  });
});
