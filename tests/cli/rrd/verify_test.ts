import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encode } from "@msgpack/msgpack";
import { loadFileAdapter, loadProcessAdapter } from "../../../lib/adapters/load.ts";
import type { CliProcess } from "../../../lib/cli/process.ts";
import type { RrdContext } from "../../../lib/cli/rrd/context.ts";
import { parseRrdArgs, type RrdOptions } from "../../../lib/cli/rrd/options.ts";
import { Unfinished } from "../../../lib/cli/rrd/unfinished.ts";
import { verify } from "../../../lib/cli/rrd/verify.ts";
import { concat, rrdHeader, rrdMessage, setStoreInfo } from "../../encoding/rrd_builder.ts";
import { fixture } from "../../fixtures.ts";
import { runHere } from "../../fuzz/verify_cases.ts";
import { scan } from "../../recordings/inputs.ts";
import { inFolder, runCli } from "../cli_process.ts";

const GOOD = fixture("encodings/0.22.1-mixed-msgpack-off.rrd");
/** Rerun's own server leaves no end marker when it is stopped. */
const STOPPED = fixture("grpc/0.41.0.saved-by-rerun.rrd");
/** Where the messages of the good file begin. */
const PLACES = scan([GOOD]).parts.flatMap(({ kind, offset }) => kind === "message" ? [offset] : []);

/** In this process, but for those whose lines go to standard output by themselves. */
async function run(args: string[]): Promise<{ code: number | null; text: string }> {
  if (args[0] !== "print" && args[0] !== "stats") return await runHere(args);
  const { code, stdout, stderr } = await runCli(["rrd", ...args]);
  return { code, text: stdout + stderr };
}

/** The good file with zeros over its messages from the tenth on, 64 KiB of them. */
function withHole(): Uint8Array {
  return GOOD.slice().fill(0, PLACES[9]!, PLACES[9]! + 65_536);
}

describe("files that hold less than was written", { timeout: 60_000 }, () => {
  it("make every command but recover exit 1, with the place, and leave no output", () =>
    inFolder(async (folder) => {
      const [hole, out] = [join(folder, "hole.rrd"), join(folder, "out.rrd")];
      writeFileSync(hole, withHole());
      const parts = join(folder, "parts");
      mkdirSync(parts);
      for (
        const args of [
          ["verify", hole],
          ["stats", hole],
          ["print", hole],
          ["merge", hole, "-o", out],
          ["split", hole, "-o", parts],
        ]
      ) {
        const { code, text } = await run(args);
        assertEquals(code, 1, text);
        assertStringIncludes(text, `at byte ${PLACES[9]! + 8}: Data behind an end marker`);
      }
      assertEquals([existsSync(out), readdirSync(parts)], [false, []]);
      const dry = await runHere(["recover", "--dry-run", hole, "-o", out]);
      assertEquals([dry.code, dry.text.includes("could be written")], [0, true], dry.text);
      assertEquals((await runHere(["recover", "--dry-run", hole])).text, dry.text);
      assertEquals(existsSync(out), false);
      const recovered = await runHere(["recover", hole, "-o", out]);
      assertEquals(recovered.code, 0);
      const behind = PLACES.filter((at) => at >= PLACES[9]! + 65_536).length;
      assert(behind > 0);
      assertStringIncludes(recovered.text, `${9 + behind} whole messages written`);
    }));

  it("are told where only the end marker is missing, and refused with --strict", () =>
    inFolder(async (folder) => {
      const [stopped, cut] = [join(folder, "stopped.rrd"), join(folder, "cut.rrd")];
      writeFileSync(stopped, STOPPED);
      writeFileSync(cut, GOOD.subarray(0, PLACES[20]));
      const text = "cut at a message, or its writer was stopped";
      for (const file of [stopped, cut]) {
        const parts = join(folder, `parts of ${file.length}`);
        mkdirSync(parts);
        for (
          const args of [
            ["verify", file],
            ["stats", file],
            ["print", file],
            ["merge", "--force", file, "-o", join(folder, "out.rrd")],
            ["split", "--force", file, "-o", parts],
          ]
        ) {
          const plain = await run(args);
          assertEquals([plain.code, plain.text.includes(text)], [0, true], plain.text);
          assert(!plain.text.includes("all good"), plain.text);
          const strict = await run([...args, "--strict"]);
          assertEquals([strict.code, strict.text.includes(text)], [1, true], strict.text);
        }
      }
      const { code, text: json } = await runHere(["verify", "--json", "--strict", cut, stopped]);
      const [first] = JSON.parse(json.slice(json.indexOf("[")));
      assertEquals([code, first.ok, first.messages], [1, false, 20]);
      assertEquals([first.offset, first.missing_end_markers], [PLACES[20], 1]);
    }));

  it("of Rerun before 0.19 are said to show no cut", () =>
    inFolder(async (folder) => {
      const path = join(folder, "old.rrd");
      const header = rrdHeader({ version: [0, 18, 2, 0] });
      writeFileSync(path, concat(header, rrdMessage(setStoreInfo())));
      const { code, text } = await runHere(["verify", "--strict", path]);
      assertEquals([code, text.includes("before 0.19"), text.includes("all good")], [
        0,
        true,
        false,
      ]);
    }));

  it("split says which messages it left out", () =>
    inFolder(async (folder) => {
      const path = join(folder, "in.rrd");
      const odd = rrdMessage(encode({ EntityPathOpMsg: [1, 2] }));
      const info = rrdMessage(setStoreInfo());
      writeFileSync(path, concat(rrdHeader({ version: [0, 9, 1, 0] }), info, odd));
      const { code, text } = await runHere(["split", path, "-o", folder]);
      assertEquals(code, 1);
      assertStringIncludes(text, "1 message of unknown kind left out");
    }));
});

describe("rrd verify of a folder", () => {
  it("looks at all files in it, and gives totals", () =>
    inFolder(async (folder) => {
      mkdirSync(join(folder, "b", "c"), { recursive: true });
      symlinkSync(folder, join(folder, "b", "round"));
      writeFileSync(join(folder, "a.rrd"), GOOD);
      writeFileSync(join(folder, "b", "hole.rrd"), withHole());
      writeFileSync(join(folder, "b", "c", "stopped.rbl"), STOPPED);
      writeFileSync(join(folder, "b", "notes.txt"), "not ours");
      writeFileSync(join(folder, "b", "x.rrd.part"), "being written");
      writeFileSync(join(folder, "b", "x.rrd.damaged"), "set aside");
      const { code, text } = await runHere(["verify", "--json", folder]);
      const { files, totals } = JSON.parse(text.slice(text.indexOf("{\n")));
      assertEquals(code, 1);
      assertEquals(
        files.map(({ file, ok }: { file: string; ok: boolean }) => [
          file.slice(folder.length + 1),
          ok,
        ]),
        [["a.rrd", true], ["b/c/stopped.rbl", true], ["b/hole.rrd", false]],
      );
      const messages = files.reduce(
        (sum: number, file: { messages: number }) => sum + file.messages,
        0,
      );
      assert(messages > 40);
      const { bytes, ...counts } = totals;
      assert(bytes > GOOD.length + STOPPED.length);
      assertEquals(counts, {
        ...{ files: 3, good: 2, bad: 1, messages, missing_end_markers: 1 },
        ...{ unfinished: 1, set_aside: 1, not_utf8: 0 },
      });
      const people = await runHere(["verify", `${folder}/`]);
      assertStringIncludes(people.text, "total: 3 files, ");
      assertStringIncludes(people.text, "2 good, 1 bad; 1 end marker missing; 1 unfinished file");
    }));

  it("does not pass one that has nothing in it", () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, "x.rrd.part"), "being written");
      const { code, text } = await runHere(["verify", folder]);
      assertEquals(code, 1);
      assertStringIncludes(text, "no .rrd or .rbl file in it, but 1 unfinished one");
    }));
});

describe("rrd verify of files that were closed", () => {
  it("compares them with what was noted then", () =>
    inFolder(async (folder) => {
      const path = join(folder, "a.rrd");
      writeFileSync(path, GOOD);
      let [text, bytes] = ["", 0];
      const write = (more: string) => void (text += more);
      const process = { stdout: write, stderr: write, onStopSignal() {} } as unknown as CliProcess;
      const run = async (noted: number) => {
        [text, bytes] = ["", 0];
        const context: RrdContext = {
          process,
          files: await loadFileAdapter(),
          processes: await loadProcessAdapter(),
          progress: { start() {}, add() {}, line: write, done() {} },
          unfinished: new Unfinished(process),
          closedFiles: () =>
            Promise.resolve({
              add: (read) => void (bytes += read.length),
              finish: () => bytes === noted ? undefined : `it had ${noted} bytes`,
            }),
        };
        return await verify(parseRrdArgs(["verify", path]) as RrdOptions, context);
      };
      assertEquals([await run(GOOD.length), text.includes("all good")], [0, true]);
      assertEquals(await run(7), 1);
      assertStringIncludes(text, `${path}: changed since it was closed: it had 7 bytes`);
    }));
});
