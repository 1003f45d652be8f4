import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { settingsOf } from "../../../lib/cli/args/args.ts";
import { configSettings } from "../../../lib/cli/args/config_file.ts";
import { configText, exampleConfig, optionsInForce } from "../../../lib/cli/args/config_text.ts";
import { OPTION_TABLE, SETTABLE } from "../../../lib/cli/args/option_table.ts";
import { read } from "../../project/tree.ts";

const SOURCES = {
  env: (name: string) => name === "RERELAY_VIEWER_TOKEN" ? "s3cret" : undefined,
  file: configSettings('save = "a \\"b\\"\\u007f.rrd"\nquiet = true', "r.toml", SETTABLE),
};

describe("the options in force", () => {
  const args = settingsOf(["--port", "1", "--no-quiet"], SOURCES);

  it("are all there, each with who set it, and without secrets", () => {
    const all = optionsInForce(args);
    assertEquals(Object.keys(all), SETTABLE.map(({ name }) => name));
    assertEquals(all["port"], { value: "1", source: "flag", where: "--port" });
    assertEquals(all["quiet"]?.value, false);
    assertEquals(all["bind"], { value: "127.0.0.1", source: "default" });
    assertEquals(all["keep"], { source: "unset" });
    assertEquals(all["save"]?.where, "r.toml, line 1: save");
    assertEquals(all["viewer-token"], { source: "environment", where: "RERELAY_VIEWER_TOKEN" });
  });

  it("are a configuration file that does the same", () => {
    const text = configText(args);
    assert(!text.includes("s3cret"), text);
    const again = configSettings(text, "again.toml", SETTABLE);
    for (const [name, { value }] of Object.entries(optionsInForce(args))) {
      assertEquals(again.get(name)?.value, value, name);
    }
  });
});

describe("the example of a configuration file", () => {
  it("has every option that a file may set, and each line of it is right", () => {
    const text = exampleConfig();
    const uncommented = text.split("\n")
      .filter((line) => /^# [\w-]+ = /.test(line))
      .map((line) => line.slice(2));
    const settings = configSettings(uncommented.join("\n"), "example.toml", SETTABLE);
    assertEquals([...settings.keys()].sort(), SETTABLE.map(({ name }) => name).sort());
    const questions = OPTION_TABLE.filter((option) => !settings.has(option.name));
    assertEquals(questions.map(({ name }) => name), ["config", "version", "help"]);
    assertEquals(configSettings(text, "example.toml", SETTABLE).size, 0);
  });

  it("is the one in docs/", () => {
    assertEquals(read("docs/rerelay.example.toml"), exampleConfig());
  });
});
