import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { fixture } from "../../fixtures.ts";
import { inFolder } from "../cli_process.ts";
import { run } from "./run.ts";

const GOOD = fixture("encodings/0.22.1-mixed-msgpack-off.rrd");
const CLI = [
  process.execPath,
  ...("Bun" in globalThis ? [] : ["run", "-A", "--quiet"]),
  fileURLToPath(new URL("../../../cli.ts", import.meta.url)),
];
const onWindows = process.platform === "win32" && "has another shell";
const HEADER_BYTES = 12;
const MANGLED = new Uint8Array(5000).fill(0xff);

/** Files of which no command can read a message. */
const NOTHING: Readonly<Record<string, Uint8Array>> = {
  empty: new Uint8Array(0),
  "all zeros": new Uint8Array(5000),
  noise: Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) >> 3),
  "a part of a header": GOOD.subarray(0, 7),
  "a header and a part of a message": GOOD.subarray(0, 20),
  "a header and damage": Uint8Array.from([...GOOD.subarray(0, HEADER_BYTES), ...MANGLED]),
};

/** Commands that write recordings, with what they need. */
const WRITERS: readonly (readonly string[])[] = [
  ["merge"],
  ["migrate"],
  ["filter", "--drop-entity", "/x"],
  ["route", "--recording-id", "a"],
  ["split"],
];
/** Commands that read on behind damage if they are asked to. */
const OVER_DAMAGE: readonly (readonly string[])[] = [...WRITERS, ["print"]];
const COMMANDS: readonly (readonly string[])[] = [
  ...[...OVER_DAMAGE, ["stats"], ["verify"], ["recover"], ["compare"], ["index"]],
];

/** Runs a command on a file, with an output that holds something already. */
async function tried(command: readonly string[], input: string, folder: string) {
  const out = join(folder, "out");
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  const [name, ...more] = command;
  const before = join(out, "o.rrd");
  writeFileSync(before, "precious");
  const targets = name === "split"
    ? ["-o", out]
    : name === "compare"
    ? [input]
    : ["print", "stats", "verify", "index"].includes(name!)
    ? []
    : ["-f", "-o", before];
  const result = await run(name!, input, ...more, ...targets);
  return { ...result, written: readdirSync(out), kept: readFileSync(before, "utf8") };
}

describe("rrd commands of which nothing can be read", () => {
  for (const [what, bytes] of Object.entries(NOTHING)) {
    it(`fail, say why, and leave all as it is: ${what}`, () =>
      inFolder(async (folder) => {
        const input = join(folder, "in.rrd");
        writeFileSync(input, bytes);
        const all = [...COMMANDS, ...OVER_DAMAGE.map((each) => [...each, "--continue-on-error"])];
        for (const command of all) {
          const { code, stderr, written, kept } = await tried(command, input, folder);
          assertEquals(code, 1, `${command}: ${stderr}`);
          assertStringIncludes(stderr, "error: ", command.join());
          assertEquals([written, kept], [["o.rrd"], "precious"], command.join());
          assertEquals(new Uint8Array(readFileSync(input)), bytes);
        }
      }));
  }

  it("fail for a folder and for what is not there", () =>
    inFolder(async (folder) => {
      mkdirSync(join(folder, "dir"));
      for (const name of ["dir", "none.rrd"]) {
        for (const command of COMMANDS) {
          const { code, stderr, kept } = await tried(command, join(folder, name), folder);
          assertEquals([code, kept], [1, "precious"], `${command}: ${stderr}`);
          assert(/folder|no \.rrd/.test(stderr), `${command}: ${stderr}`);
        }
      }
    }));
});

describe("rrd commands on a file that was cut", () => {
  it("fail, or say what is missing and write the rest, wherever that is", () =>
    inFolder(async (folder) => {
      const input = join(folder, "in.rrd");
      // Around the ends of the header, of the first messages, and of all.
      const { length } = GOOD;
      const cuts = [13, 19, 20, 21, 258, 259, 260, 300, 2885, 50_000, length - 8, length - 1];
      for (const cut of cuts) {
        writeFileSync(input, GOOD.subarray(0, cut));
        for (const [name, ...more] of WRITERS) {
          const what = `${name}, cut at ${cut}`;
          const strict = await tried([name!, ...more], input, folder);
          const over = await tried([name!, ...more, "--continue-on-error"], input, folder);
          const isAtMessage = cut === 259 || cut === length - 8;
          assertEquals(strict.code, isAtMessage ? 0 : 1, `${what}: ${strict.stderr}`);
          assertEquals(over.code, cut < 259 ? 1 : 0, `${what}: ${over.stderr}`);
          assert(over.stderr.includes(isAtMessage ? "no end marker" : " lost at byte "), what);
          if (!isAtMessage) assertStringIncludes(strict.stderr, "--continue-on-error reads over");
          const isWritten = name === "split" ? over.written.length > 1 : over.kept !== "precious";
          assertEquals(isWritten, over.code === 0, what);
          if (name !== "split") continue;
          for (const each of over.written.filter((each) => each !== "o.rrd")) {
            const { code, stderr } = await run("verify", join(folder, "out", each));
            assertEquals(code, 0, `${what}: ${stderr}`);
          }
        }
        await run("compare", input, input).then(({ code, stderr }) => {
          assert(!stderr.includes("--continue-on-error"), "compare has no such option");
          assertEquals(code, cut === 259 || cut === length - 8 ? 0 : 1);
        });
      }
    }));

  it("split says so where there is no recording", () =>
    inFolder(async (folder) => {
      const input = join(folder, "in.rrd");
      writeFileSync(input, GOOD.subarray(0, HEADER_BYTES));
      const { code, stderr } = await tried(["split"], input, folder);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "There is no recording in what was read");
    }));
});

describe("rrd commands whose output is the input", () => {
  it("refuse it, and leave it as it is", () =>
    inFolder(async (folder) => {
      const input = join(folder, "in.rrd");
      writeFileSync(input, GOOD);
      for (
        const [name, ...more] of [...WRITERS.filter(([name]) => name !== "split"), ["recover"]]
      ) {
        const { code, stderr } = await run(name!, input, ...more, "-f", "-o", input);
        assertEquals(code, 2, `${name}: ${stderr}`);
        assertStringIncludes(stderr, "is the input");
        assertEquals(new Uint8Array(readFileSync(input)), GOOD);
      }
    }));

  it("refuse it as standard output, too, which would grow as long as it is read", {
    skip: onWindows,
  }, () =>
    inFolder(async (folder) => {
      const input = join(folder, "in.rrd");
      for (const [file, stdin] of [[input, ""], ["-", input]] as const) {
        for (const command of ["merge", "filter", "recover"]) {
          writeFileSync(input, GOOD);
          const { status, stderr } = spawnSync("sh", [
            "-c",
            `ulimit -f 4096; exec "$@" >> "$0" ${stdin && '< "$0"'}`,
            ...[input, ...CLI, "rrd", command, file, "-o", "-"],
          ], { encoding: "utf8", timeout: 20_000 });
          assertEquals(status, 2, stderr);
          assertStringIncludes(stderr, "standard output is the input");
          assertEquals(new Uint8Array(readFileSync(input)), GOOD);
        }
      }
    }));
});
