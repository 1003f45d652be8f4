/** What holds for each option in each place: flag, environment and file. */
import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ArgReader, UsageError } from "../../../lib/cli/args/arg_reader.ts";
import { hostOptions, parseCliArgs } from "../../../lib/cli/args/args.ts";
import { configSettings } from "../../../lib/cli/args/config_file.ts";
import { configText, optionsInForce } from "../../../lib/cli/args/config_text.ts";
import { environmentSettings, variableOf } from "../../../lib/cli/args/environment.ts";
import type { CliOption } from "../../../lib/cli/args/option.ts";
import { SETTABLE } from "../../../lib/cli/args/option_table.ts";
import { replayTargets } from "../../../lib/cli/rrd/targets.ts";

const OPTIONS: readonly CliOption[] = SETTABLE;
const SECRET = "s3cr3tW0rd";

const read = (text: string) => configSettings(text, "r.toml", SETTABLE);

/** All that is said of a configuration: its error, or what is printed of it. */
function said(text: string, env: Record<string, string> = {}): string {
  try {
    const settings = [environmentSettings(SETTABLE, (name) => env[name]), read(text)];
    const args = new ArgReader({}, settings);
    hostOptions(args);
    return configText(args) + JSON.stringify(optionsInForce(args));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return error.message;
  }
}

describe("each option in a file", () => {
  for (const { name, value } of OPTIONS) {
    it(`refuses what is no value of ${name}, with the line and its name`, () => {
      const wrong = ['""', "[]", "1.5", "nan", "1979-05-27", "{ a = 1 }", "[[1]]", "[1]", "9e99"];
      for (const text of [...wrong, value === undefined ? '"true"' : "true"]) {
        const error = assertThrows(() => read(`# one\n${name} = ${text}`), UsageError);
        assert(error.message.startsWith(`r.toml, line 2: ${name}: expected `), error.message);
      }
    });

    it(`refuses ${name} twice, however it is written, and as a section`, () => {
      const one = value === undefined ? "true" : '"x"';
      const escaped = `"\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}"`;
      for (const again of [name, `"${name}"`, `'${name}'`, `  ${name} `, escaped]) {
        const error = assertThrows(() => read(`${name} = ${one}\n\n${again} = ${one}`), UsageError);
        assert(error.message.startsWith("r.toml, line 3: "), error.message);
      }
      assertThrows(() => read(`[${name}]\na = 1`), UsageError, "r.toml, line 1");
    });

    it(`is meant where ${name} is misspelt`, () => {
      const wrong = `${name}x`;
      const error = assertThrows(() => read(`\n${wrong} = 1`), UsageError);
      assert(
        error.message.startsWith(`r.toml, line 2: unknown option ${wrong}; did you mean `),
        error.message,
      );
      const flag = assertThrows(() => parseCliArgs([`--${wrong}`, "1"], {}), UsageError);
      assert(flag.message.startsWith(`unknown option --${wrong}; did you mean --`), flag.message);
    });

    it(`${name} counts from the flag, then the environment, then the file`, () => {
      const of = (text: string) => value === undefined ? text === "1" : text;
      const write = (text: string) => value === undefined ? `${text === "1"}` : `"${text}"`;
      const env = environmentSettings(
        SETTABLE,
        (variable) =>
          variable === variableOf(name) ? "2".replace("2", value ? "2" : "1") : undefined,
      );
      const file = read(`${name} = ${write(value ? "3" : "0")}`);
      const nearest = (flags: Record<string, unknown>, ...settings: (typeof env)[]) =>
        new ArgReader(flags, settings).setting(name);
      assertEquals(nearest({}, file)?.value, of(value ? "3" : "0"));
      assertEquals(nearest({}, env, file)?.value, of(value ? "2" : "1"));
      assertEquals(nearest({}, env, file)?.where, variableOf(name));
      const flag = nearest({ [name]: [value ? "1" : false] }, env, file);
      assertEquals([flag?.source, flag?.value], ["flag", value ? "1" : false]);
    });
  }

  it("is not taken for what a list has, though the list ends there", () => {
    const text = 'port = 1\nallow-host = [\n  "a",\n  "port"]\n';
    assertEquals(read(text).get("allow-host")?.value, "a,port");
    assertThrows(() => read(text + "[ port ]\n"), UsageError);
  });

  it("has its line where a text of several lines, or a comment, looks like another option", () => {
    const text = 'save = """\nport = 1\nport = 2"""\n# port = 3\nport = 4 # """\nquiet = true\n';
    assertEquals(read(text).get("port")?.where, "r.toml, line 5: port");
    assertEquals(read(text).get("quiet")?.where, "r.toml, line 6: quiet");
    assertEquals(read("save = '''a'''\nport = 1").get("port")?.where, "r.toml, line 2: port");
  });
});

describe("a secret", () => {
  const secrets = OPTIONS.filter(({ secret }) => secret).map(({ name }) => name);
  const places = ["from", "forward"];
  const rest = 'save = "{part}.rrd"\nserve-web = true\n';

  it("is one of these options", () => {
    assertEquals(secrets.toSorted(), ["nats-password", "nats-token", "viewer-token"]);
  });

  for (const name of secrets) {
    it(`of ${name} is refused on the command line, and shown nowhere`, () => {
      for (
        const args of [[`--${name}`, SECRET], [`--${name}=${SECRET}`], [`--no-${name}=${SECRET}`]]
      ) {
        const error = assertThrows(() => parseCliArgs(args, {}), UsageError);
        assert(!error.message.includes(SECRET), error.message);
      }
      const values = [`"${SECRET}"`, SECRET, `"${SECRET} a\\u0001"`, `["${SECRET}"]`, `"${SECRET}`];
      for (const value of values) {
        for (const more of ["", 'from = "nats://a:1"\nnats-user = "u"\n']) {
          const text = said(`${rest}${more}${name} = ${value}\n`);
          assert(!text.includes(SECRET), text);
        }
      }
      const text = said(rest, { [variableOf(name)]: SECRET });
      assert(!text.includes(SECRET), text);
    });
  }

  const urls = [
    `nats://user:${SECRET}@127.0.0.1:1`,
    `nats://${SECRET}@127.0.0.1:1`,
    `nats://user:${SECRET}@127.0.0.1:99999`,
    `nats://user:${SECRET} b@127.0.0.1:1`,
    `nats://user:${SECRET}/b@127.0.0.1:1`,
    `nats://user:${SECRET}%b@127.0.0.1:1`,
    `nats://user:${SECRET}`,
    `nats://a:1,user:${SECRET}@b:1`,
    `http://user:${SECRET}@a`,
    `user:${SECRET}@a`,
    `s3://key:${SECRET}@bucket/a`,
    `s3://bucket/a?secret=${SECRET}`,
    `rerun+http://user:${SECRET}@a:1/proxy`,
    `rerun+http://a:1/proxy?token=${SECRET}`,
  ];
  it("in an address in the wrong place is shown nowhere", () => {
    const url = `nats://user:${SECRET}@127.0.0.1:1`;
    for (const option of ["bind", "save", "port", "log-level"]) {
      const error = assertThrows(() => parseCliArgs([`--${option}`, url], {}), UsageError);
      assert(!error.message.includes(SECRET), error.message);
    }
    const alone = assertThrows(() => parseCliArgs([url], {}), UsageError);
    assertEquals(
      alone.message,
      "unexpected argument nats://127.0.0.1:1; to send there what is saved: --forward; " +
        "to receive from there: --from",
    );
    const to = assertThrows(() => replayTargets([url]), UsageError);
    assert(to.message.startsWith("--to nats://127.0.0.1:1: expected HOST:PORT"), to.message);
  });

  for (const name of places) {
    for (const url of urls) {
      it(`in --${name} ${url.replace(SECRET, "…")} is shown nowhere`, () => {
        for (
          const value of [JSON.stringify(url), JSON.stringify([url]), JSON.stringify([url, url])]
        ) {
          const text = said(`${rest}${name} = ${value}\n`);
          assert(!text.includes(SECRET), text);
        }
        const text = said(rest, { [variableOf(name)]: url });
        assert(!text.includes(SECRET), text);
        const args = ["--save", "{part}.rrd", `--${name}`, url];
        if (!/[@?]/.test(url)) return;
        const error = assertThrows(() => parseCliArgs(args, {}), UsageError);
        assert(!error.message.includes(SECRET), error.message);
      });
    }
  }
});
