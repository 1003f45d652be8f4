/** No command says a password, whatever its argument was taken for. */
import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { hideArguments } from "../../../lib/cli/args/hide_arguments.ts";
import { main } from "../../../lib/cli/main.ts";
import type { CliProcess } from "../../../lib/cli/process.ts";

async function run(...args: string[]) {
  let stderr = "";
  const code = await main(fake(args, (text) => stderr += text));
  return { code, stderr };
}

function fake(args: readonly string[], stderr: (text: string) => void): CliProcess {
  return {
    args,
    env: () => undefined,
    envNames: () => [],
    isTerminal: false,
    columns: () => 80,
    stdout: () => {},
    stderr,
    onStopSignal: () => {},
    onDrainSignal: () => {},
  } as unknown as CliProcess;
}

const ADDRESS = "nats://user:pa$&ss@host";
const HARD = "rerun+http://user:pa ss/\u001b[1mword@host:9876/proxy?token=password";
/** So long that what is cut off for length is inside of the password. */
const LONG = `nats://user:${"password".repeat(20)}@host`;

const COMMANDS = ["stats", "print", "verify", "compare", "index", "recover", "merge", "migrate"];
const CASES: string[][] = [
  ...[...COMMANDS, "filter", "route", "split"].map((name) => ["rrd", name]),
  ["rrd", "print", "--time-range"],
  ["rrd"],
  ["rrd", "replay", "missing.rrd"],
  ["rrd", "merge", "-o"],
  ["rrd", "recover", "missing.rrd"],
  ["forward", "status", "--save"],
  ["forward", "status"],
  ["forward", "reset", "--to", "now", "--save", "missing-{part}", "--forward"],
  ["config", "--check"],
  ["config", "--example"],
  ["--forward"],
  ["--save"],
  ["--from"],
];

describe("passwords among arguments", () => {
  for (const before of CASES) {
    it(`are never said: ${before.join(" ")} ADDRESS`, async () => {
      for (const address of [ADDRESS, HARD, LONG]) {
        const { code, stderr } = await run(...before, address);
        assert(code > 0, `${code}`);
        assert(
          !/pa\$|pa ss|word|password(?!-file)/.test(stderr.replaceAll("--nats-password", "")),
          stderr,
        );
      }
    });
  }

  it("are taken out of a file's name alone, which is still told", async () => {
    const { code, stderr } = await run("rrd", "print", ADDRESS);
    assertEquals([code, stderr], [1, "error: nats://host: there is no such file or folder\n"]);
  });

  it("are hidden behind an option, too, and nothing else is changed", () => {
    const said: string[] = [];
    const args = [`--output=${ADDRESS}`, "C://x@y"];
    hideArguments(fake(args, (text) => said.push(text)), args).stderr(`a ${ADDRESS} user @host`);
    assertEquals(said, ["a nats://host user @host"]);
    const plain = fake(["a@b"], () => {});
    assertEquals(hideArguments(plain, ["a@b", "nats://host:1"]), plain);
  });

  it("leave what a program must know: the option that is wrong", async () => {
    assertStringIncludes((await run("--forward", LONG)).stderr, "--forward");
  });
});
