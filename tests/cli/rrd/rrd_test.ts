import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import {
  arrowMsg,
  concat,
  Entries,
  rrdHeader,
  rrdMessage,
  setStoreInfo,
  storeInfoFields,
} from "../../encoding/rrd_builder.ts";
import { scan } from "../../recordings/inputs.ts";
import { describeMsg, fixture, fixtureText } from "../../fixtures.ts";
import { inFolder, runCli, startCli } from "../cli_process.ts";

const path = (name: string) => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
const ENCODINGS = ["msgpack-off", "msgpack-lz4", "protobuf-off", "protobuf-lz4"];
const FILE = "encodings/0.22.1-mixed-msgpack-lz4.rrd";

function rrd(...args: string[]) {
  return runCli(["rrd", ...args]);
}

function read(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}

function messagesOf(bytes: Uint8Array): Uint8Array[] {
  return scan([bytes]).parts.flatMap((part) =>
    part.kind === "message" ? [part.msg.encoded.bytes] : []
  );
}

/** The messages of files, whatever they are compressed with. */
function contents(paths: string[]) {
  return paths.flatMap((path) =>
    scan([read(path)]).parts.flatMap((part) =>
      part.kind === "message" ? [describeMsg(part.msg)] : []
    )
  );
}

describe("cli.ts rrd", { timeout: 120_000 }, () => {
  it("stats counts what the real decoder found, in any encoding", async () => {
    const files = ENCODINGS.map((name) => path(`encodings/0.22.1-mixed-${name}.rrd`));
    const { code, stdout, stderr } = await rrd("stats", "--json", ...files);
    assertEquals([code, stderr], [0, ""]);
    const results = JSON.parse(stdout);
    for (const [i, result] of results.entries()) {
      const expected = fixtureText(`encodings/0.22.1-mixed-${ENCODINGS[i]}.expected.jsonl`)
        .trim().split("\n").map((line) => JSON.parse(line));
      const chunks = expected.filter(({ type }) => type === "ArrowMsg");
      assertEquals(result.bytes, read(files[i]!).length);
      assertEquals([result.end_markers, result.unreadable_chunks], [1, 0]);
      assertEquals(result.messages.ArrowMsg.messages, chunks.length);
      const [recording] = result.recordings;
      assertEquals(recording.application_id, "rerun_example_capture");
      assertEquals(recording.rows, chunks.reduce((sum, { rows }) => sum + rows, 0));
      assertEquals(
        recording.entities.map(({ path }: { path: string }) => path),
        [...new Set(chunks.map(({ metadata }) => metadata["rerun.entity_path"]))].sort(),
      );
      for (const { name, max } of recording.timelines) {
        const times = chunks.flatMap(({ timepoint_max }) => {
          const time = timepoint_max?.[name];
          return time === undefined ? [] : [BigInt(time.value)];
        });
        if (times.length === 0) continue;
        assertEquals(BigInt(max), times.reduce((a, b) => a > b ? a : b));
      }
    }
  });

  it("stats shows people a bar chart, and the file as far as it goes", () =>
    inFolder(async (folder) => {
      const cut = join(folder, "cut.rrd");
      writeFileSync(cut, fixture(FILE).subarray(0, 60_000));
      const { code, stdout, stderr } = await rrd("stats", cut);
      assertEquals(code, 1);
      assertStringIncludes(stdout, 'Recording "rec-mixed" of "rerun_example_capture"');
      assert(/^ {4}#+ +[\d.]+ kB +\d+ {2}\//m.test(stdout), stdout);
      assert(/at byte \d+: RRD data ends inside a message/.test(stderr), stderr);
    }));

  it("print says of each chunk what Rerun's own print says", async () => {
    const { code, stdout } = await rrd("print", path(FILE));
    assertEquals(code, 0);
    const lines = stdout.trimEnd().split("\n");
    assertEquals(lines.length, 34);
    // Taken from `rerun rrd print` of 0.22.1, which gives sizes in memory instead.
    const last = lines.slice(-2).map((line) => line.replace(/ rows \([^)]*\)/, " rows ()"));
    assertEquals(last, [
      "Chunk(18EA51C1148C62E45151A2D9A333D986) with 21 rows () - /world/points - " +
      "columns: [Color Position3D Radius]",
      "Chunk(18EA51C1148E7B705151A2D9A333D987) with 1 rows () - /world/points - " +
      "columns: [Points3DIndicator]",
    ]);
  });

  it("verify passes good files, and tells the first bad byte of others", () =>
    inFolder(async (folder) => {
      const good = [...ENCODINGS.map((name) => `encodings/0.22.1-mixed-${name}.rrd`)];
      const files = [...good, "grpc/0.41.0.saved-by-rerun.rrd"].map(path);
      assertEquals((await rrd("verify", ...files)).code, 0);
      const bytes = fixture("encodings/0.22.1-mixed-msgpack-off.rrd");
      const chunk = scan([bytes]).parts.filter((part) => part.kind === "message")[5]!;
      assert(chunk.kind === "message" && chunk.msg.kind === "ArrowMsg");
      // Inside the Arrow data, which framing and envelope say nothing of.
      bytes.fill(
        0xee,
        chunk.offset + chunk.bytes - chunk.msg.arrow.bytes.length + 8,
        chunk.offset + chunk.bytes,
      );
      const bad = join(folder, "bad.rrd");
      writeFileSync(bad, bytes);
      const { code, stdout } = await rrd("verify", "--json", bad, path(FILE));
      assertEquals(code, 1);
      const [first, second] = JSON.parse(stdout);
      assertEquals([first.ok, first.offset, first.messages], [false, chunk.offset, 5]);
      assertEquals([second.ok, second.messages], [true, 34]);
    }));

  it("recover keeps all but the damage, and never touches its input", () =>
    inFolder(async (folder) => {
      const bytes = fixture("encodings/0.22.1-mixed-protobuf-lz4.rrd");
      const damaged = bytes.slice();
      const hit = scan([bytes]).parts[10]!;
      damaged.fill(0xff, hit.offset, hit.offset + 20);
      const [input, output] = [join(folder, "in.rrd"), join(folder, "out.rrd")];
      writeFileSync(input, damaged);
      linkSync(input, join(folder, "link.rrd"));
      const { code, stderr } = await rrd("recover", input, "-o", output);
      assertEquals(code, 0);
      assertStringIncludes(stderr, `lost at byte ${hit.offset}:`);
      const expected = messagesOf(bytes);
      expected.splice(9, 1);
      assertEquals(messagesOf(read(output)), expected);
      assertEquals((await rrd("verify", output)).code, 0);

      for (const same of [input, join(folder, "link.rrd"), join(folder, ".", "in.rrd")]) {
        const { code, stderr } = await rrd("recover", input, "--force", "-o", same);
        assertEquals([code, stderr.includes("is the input")], [2, true]);
      }
      assertEquals(read(input), damaged as Uint8Array);
      assertEquals((await rrd("recover", input, "-o", output)).code, 1, "exists already");
      const before = readdirSync(folder).sort();
      const dry = await rrd("recover", input, "--dry-run");
      assertEquals(dry.code, 0);
      assert(/whole messages could be written; 1 damaged stretch/.test(dry.stderr), dry.stderr);
      assertEquals(readdirSync(folder).sort(), before);
      const gone = await rrd("recover", join(folder, "gone.rrd"), "--force", "-o", output);
      assertEquals([gone.code, messagesOf(read(output)).length], [1, expected.length]);
    }));

  it("merge puts files one after another, split takes them apart again", () =>
    inFolder(async (folder) => {
      const files = ["encodings/0.22.1-mixed-msgpack-off.rrd", FILE].map(path);
      for (const [i, inputs] of [files, files.toReversed()].entries()) {
        const merged = join(folder, `all${i}.rrd`);
        const { code, stderr } = await rrd("merge", ...inputs, "-o", merged);
        assertEquals([code, stderr.includes("warning")], [0, false]);
        const { parts } = scan([read(merged)]);
        assertEquals(
          parts.filter(({ kind }) => kind !== "message").length,
          2,
          "header, end marker",
        );
        assertEquals(contents([merged]), contents(inputs));
      }

      const mixed = join(folder, "mixed.rrd");
      const inputs = ["encodings/0.22.1-mixed-protobuf-off.rrd", FILE].map(path);
      const { code, stderr } = await rrd("merge", ...inputs, "-o", mixed);
      assertEquals([code, stderr.includes("2 encodings")], [0, true]);
      assertEquals(messagesOf(read(mixed)), inputs.flatMap((file) => messagesOf(read(file))));

      const parts = join(folder, "parts");
      mkdirSync(parts);
      assertEquals((await rrd("split", files[0]!, "-o", parts)).code, 0);
      assertEquals(readdirSync(parts), ["001-rec-mixed.rrd"]);
      assertEquals(read(join(parts, "001-rec-mixed.rrd")), read(files[0]!));
    }));

  it("split keeps up with more recordings than it has files open", () =>
    inFolder(async (folder) => {
      const ids = Array.from({ length: 100 }, (_, i) => `rec ${i}/..`);
      const announce = (id: string) =>
        rrdMessage(
          setStoreInfo({ ...storeInfoFields(), store_id: { kind: "Recording", id } }),
        );
      // Twice round, so that every file has to be opened again.
      const bytes = concat(rrdHeader(), ...[...ids, ...ids].map(announce));
      writeFileSync(join(folder, "in.rrd"), bytes);
      const parts = join(folder, "parts");
      mkdirSync(parts);
      assertEquals((await rrd("split", join(folder, "in.rrd"), "-o", parts)).code, 0);
      const names = readdirSync(parts).sort();
      assertEquals([names.length, names[7]], [100, "008-rec_7_...rrd"]);
      for (const [i, name] of names.entries()) {
        const message = announce(ids[i]!);
        const expected = concat(rrdHeader(), message, message, new Uint8Array(8));
        assertEquals(read(join(parts, name)), expected as Uint8Array);
      }
      assertEquals((await rrd("split", join(folder, "in.rrd"), "-o", parts)).code, 1, "exist");
    }));

  it("reads standard input where a dash or nothing is named, and writes to standard output", () => {
    const cli = fileURLToPath(new URL("../../../cli.ts", import.meta.url));
    const run = "Bun" in globalThis ? [cli] : ["run", "-A", "--quiet", cli];
    const input = fixture("encodings/0.22.1-mixed-msgpack-off.rrd");
    for (const files of [[], ["-"]]) {
      const args = [...run, "rrd", "merge", ...files];
      const { status, stdout } = spawnSync(process.execPath, args, { input, timeout: 20_000 });
      assertEquals([status, new Uint8Array(stdout)], [0, input]);
    }
  });

  it("replay sends a file so that the server saves the same file", () =>
    inFolder(async (folder) => {
      for (const name of ENCODINGS) {
        const saved = join(folder, `${name}.rrd`);
        const file = path(`encodings/0.22.1-mixed-${name}.rrd`);
        const { cli, port } = await startCli(["--save", saved]);
        const { code, stderr } = await rrd("replay", file, "--to", `127.0.0.1:${port}`);
        assertEquals([code, stderr.includes("34 messages")], [0, true], stderr);
        cli.signal("SIGINT");
        assertEquals((await cli.ended).code, 0);
        assertEquals(read(saved), read(file), name);
      }
    }));

  it("replay tells jumps of the log's clock, and keeps the pace before and behind them", () =>
    inFolder(async (folder) => {
      const file = join(folder, "jumps.rrd");
      // From 1970 to now, then three hours on.
      const seconds = [1, 1.2, 1.7e9, 1.7e9 + 0.2, 1.7e9 + 10_800, 1.7e9 + 10_800.2];
      const messages = seconds.map((time) => {
        const log_time = new Entries([[
          { name: "log_time", typ: "Time" },
          BigInt(Math.round(time * 1000)) * 1_000_000n,
        ]]);
        return rrdMessage(arrowMsg(log_time));
      });
      writeFileSync(file, concat(rrdHeader(), ...messages, new Uint8Array(8)));
      const { cli, port } = await startCli([]);
      const to = ["--to", `127.0.0.1:${port}`];
      const { code, stdout, stderr } = await rrd("replay", file, ...to, "--speed", "1x", "--json");
      assertEquals(code, 0, stderr);
      const sent = JSON.parse(stdout);
      assertEquals(sent.messages, seconds.length);
      assert(sent.seconds > 0.59, stdout);
      assert(!stderr.includes("Overflow"), stderr);
      assertEquals(stderr.match(/the clock of the log jumps/g)?.length, 2, stderr);
      assertStringIncludes(stderr, "jumps 3 h 0 min forwards at message 5");
      cli.signal("SIGINT");
      assertEquals((await cli.ended).code, 0);
    }));

  it("replay sends what is whole before damage, then exits 1", () =>
    inFolder(async (folder) => {
      const file = join(folder, "cut.rrd");
      writeFileSync(file, fixture(FILE).fill(0, 60_000, 100_000));
      const { cli, port } = await startCli([]);
      const { code, stderr } = await rrd("replay", file, "--to", `127.0.0.1:${port}`);
      assertEquals([code, /at byte \d+: /.test(stderr)], [1, true], stderr);
      cli.signal("SIGINT");
      await cli.ended;
    }));

  it("replay says that there is no server", async () => {
    const { code, stderr } = await rrd(
      "replay",
      path(FILE),
      "--to",
      "127.0.0.1:1",
      "--timeout",
      "50ms",
    );
    assertEquals(code, 1);
    assertStringIncludes(stderr, "No server takes connections at 127.0.0.1:1");
  });

  it("refuses wrong arguments in one line, with nothing touched", () =>
    inFolder(async (folder) => {
      const out = join(folder, "out.rrd");
      for (
        const [args, text] of [
          [["stat"], "did you mean rrd stats?"],
          [["stats", "--jsno"], "did you mean --json?"],
          [["recover", path(FILE)], "-o OUT.rrd"],
          [["recover", path(FILE), path(FILE), "-o", out], "takes one file"],
          [["merge", "-", "-", "-o", out], "once only"],
          [["replay", "--speed", "fast", path(FILE)], "--speed fast"],
          [["replay", "--to", "a:b:c", path(FILE)], "expected HOST:PORT"],
        ] as const
      ) {
        const { code, stdout, stderr } = await rrd(...args);
        assertEquals([code, stdout, stderr.split("\n").length], [2, "", 2], args.join(" "));
        assertStringIncludes(stderr, text);
      }
      assert(!existsSync(out));
      const help = await rrd("--help");
      assertEquals(help.code, 0);
      for (const line of help.stdout.split("\n")) assert(line.length <= 100, line);
    }));
});
