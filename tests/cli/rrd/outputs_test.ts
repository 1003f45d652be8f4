import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { concat } from "../../encoding/rrd_builder.ts";
import { capturePackets, fixture } from "../../fixtures.ts";
import { scan } from "../../recordings/inputs.ts";
import { inFolder } from "../cli_process.ts";
import { run } from "./run.ts";

const GOOD = fixture("encodings/0.22.1-mixed-msgpack-off.rrd");

/** A forged length behind a header. */
function forged(header: number[], ...lengths: bigint[]): Uint8Array {
  const message = new Uint8Array(lengths.length * 8);
  const view = new DataView(message.buffer);
  for (const [i, length] of lengths.entries()) view.setBigUint64(8 * i, length, true);
  return concat(
    Uint8Array.from([0x52, 0x52, 0x46, 0x32, 0, ...header, 0, 0]),
    message,
    new Uint8Array(100),
  );
}

function messagesOf(path: string): string[] {
  return scan([new Uint8Array(readFileSync(path))]).parts.flatMap((part) =>
    part.kind === "message" ? [part.msg.encoded.bytes.join()] : []
  );
}

const onWindows = process.platform === "win32" && "has other rights";

describe("outputs of rrd commands", { timeout: 60_000 }, () => {
  it("keep the rights of what they replace", { skip: onWindows }, () =>
    inFolder(async (folder) => {
      const [input, output] = [join(folder, "in.rrd"), join(folder, "out.rrd")];
      writeFileSync(input, GOOD);
      for (const [command, ...more] of [["merge"], ["migrate"], ["route", "--recording-id", "a"]]) {
        writeFileSync(output, "old");
        chmodSync(output, 0o600);
        const { code, stderr } = await run(command!, input, ...more, "-f", "-o", output);
        assertEquals([code, statSync(output).mode & 0o777], [0, 0o600], stderr);
        assert(messagesOf(output).length > 0);
      }
    }));

  it("are whole, or not there at all", () =>
    inFolder(async (folder) => {
      const [input, output] = [join(folder, "cut.rrd"), join(folder, "out.rrd")];
      writeFileSync(input, GOOD.subarray(0, 100_000));
      for (const command of [["merge", "-o", output], ["split", "-o", folder]]) {
        const { code, stderr } = await run(command[0]!, input, ...command.slice(1));
        assertEquals(code, 1);
        assertStringIncludes(stderr, "--continue-on-error reads over damage");
        assertEquals(readdirSync(folder), ["cut.rrd"]);
      }
      writeFileSync(output, "precious");
      await run("merge", input, "--force", "-o", output);
      assertEquals(readFileSync(output, "utf8"), "precious");
      const { code, stderr } = await run(
        "merge",
        input,
        "-f",
        "-o",
        output,
        "--continue-on-error",
      );
      assertEquals(code, 0);
      assert(/cut\.rrd: [\d.]+ kB lost at byte \d+: RRD data ends inside/.test(stderr), stderr);
      assertEquals(messagesOf(output), messagesOf(input));
    }));

  it("do not stay behind when the command is interrupted", () =>
    inFolder(async (folder) => {
      const cli = fileURLToPath(new URL("../../../cli.ts", import.meta.url));
      const args = "Bun" in globalThis ? [cli] : ["run", "-A", "--quiet", cli];
      const output = join(folder, "out.rrd");
      const child = spawn(process.execPath, [...args, "rrd", "merge", "-", "-o", output]);
      const closed = once(child, "close");
      try {
        child.stdin.write(GOOD.subarray(0, 100_000));
        const names = () => readdirSync(folder).sort();
        while (!names().some((name) => name.endsWith(".part"))) {
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        assert(/^out\.rrd\.[0-9a-f]{8}\.part,out\.rrd\.lock$/.test(names().join()), names().join());
        // After child.kill Deno reports that signal as the cause of the end, whatever the process did.
        process.kill(child.pid!, "SIGINT");
        assertEquals(await closed, [130, null]);
        assertEquals(readdirSync(folder), []);
      } finally {
        child.kill("SIGKILL");
      }
    }));

  it("are not taken from a command that is writing, but from one that was killed", () =>
    inFolder(async (folder) => {
      const cli = fileURLToPath(new URL("../../../cli.ts", import.meta.url));
      const args = "Bun" in globalThis ? [cli] : ["run", "-A", "--quiet", cli];
      const [input, output] = [join(folder, "in.rrd"), join(folder, "out.rrd")];
      writeFileSync(input, GOOD);
      const child = spawn(process.execPath, [...args, "rrd", "merge", "-", "-f", "-o", output]);
      const closed = once(child, "close");
      try {
        child.stdin.write(GOOD.subarray(0, 100_000));
        while (!readdirSync(folder).some((name) => name.endsWith(".part"))) {
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        const before = readdirSync(folder).sort();
        const refused = await run("merge", input, "-f", "-o", output);
        assertEquals(refused.code, 1);
        assertStringIncludes(refused.stderr, `Process ${child.pid} saves under this name already`);
        assertEquals(readdirSync(folder).sort(), before);
      } finally {
        child.kill("SIGKILL");
      }
      await closed;
      assertEquals((await run("merge", input, "-o", output)).code, 0);
      assertEquals(readdirSync(folder).sort(), ["in.rrd", "out.rrd"]);
    }));

  it("go where a link leads, and into devices", () =>
    inFolder(async (folder) => {
      const [input, target, link] = ["in.rrd", "target.rrd", "link.rrd"]
        .map((name) => join(folder, name));
      writeFileSync(input!, GOOD);
      writeFileSync(target!, "old");
      symlinkSync(target!, link!);
      assertEquals((await run("merge", input!, "-o", link!)).code, 1, "exists");
      assertEquals((await run("merge", input!, "-f", "-o", link!)).code, 0);
      assert(lstatSync(link!).isSymbolicLink());
      assertEquals(new Uint8Array(readFileSync(target!)), GOOD);
      if (process.platform === "win32") return;
      assertEquals((await run("merge", input!, "-o", "/dev/null")).code, 0);
      assert(lstatSync("/dev/null").isCharacterDevice());
    }));

  it("of split hold their application's blueprints; merge has these once", () =>
    inFolder(async (folder) => {
      const input = join(folder, "in.rrd");
      const parts = join(folder, "parts");
      mkdirSync(parts);
      const packets = ["0.22.1-blueprint", "0.22.1-mixed", "0.22.1-timeonly"].map(capturePackets);
      writeFileSync(input, concat(...packets.flat()));
      const { code, stdout } = await run("split", "--json", input, "-o", parts);
      assertEquals(code, 0);
      const files = JSON.parse(stdout).map(({ file }: { file: string }) => file);
      assert(files.every((file: string) => file.endsWith(".rrd")), stdout);
      const blueprint = messagesOf(input).filter((_, i) =>
        scan([new Uint8Array(readFileSync(input))]).parts.filter(({ kind }) => kind === "message")
          .map((part) => part.kind === "message" && JSON.stringify(part.msg.kind))[i] ===
          '"BlueprintActivationCommand"'
      );
      assert(blueprint.length > 0);
      for (const file of files) assert(blueprint.every((msg) => messagesOf(file).includes(msg)));
      const merged = join(folder, "merged.rrd");
      const { stderr } = await run("merge", ...files, "-o", merged);
      assertEquals(messagesOf(merged).sort(), messagesOf(input).sort());
      assertStringIncludes(stderr, "of blueprints that came before left out");
    }));

  it("are not begun for what is no recording", () =>
    inFolder(async (folder) => {
      const cases: [string, Uint8Array | string, string][] = [
        ["empty.rrd", "", "it is empty"],
        ["text.rrd", "no recording at all", "at byte 0: Not an .rrd file"],
        ["msgpack.rrd", forged([22, 1, 0, 0, 1], 3n << 62n | 3n << 30n), "A message of 3221225472"],
        ["protobuf.rrd", forged([23, 4, 0, 1, 2], 2n, 3n << 30n), "A message of 3221225472 bytes"],
        ["footer.rrd", forged([41, 0, 0, 1, 2], 0n, 1n << 63n), "over the limit of 536870912"],
        ["short.rrd", forged([22, 1, 0, 0, 1], 400n << 52n | 400n << 20n), "data ends inside"],
      ];
      for (const [name, bytes, text] of cases) {
        const path = join(folder, name);
        writeFileSync(path, bytes);
        const { code, stderr } = await run("merge", path, "-o", join(folder, "out.rrd"));
        assertEquals(code, 1);
        assertStringIncludes(stderr, `error: ${path}: `);
        assertStringIncludes(stderr, text);
        const recovered = await run("recover", path, "-o", join(folder, "out.rrd"));
        assertEquals(recovered.code, 1, name);
      }
      // Nor does what is read over all damage replace a recording by none.
      const [text, damaged, out] = ["text.rrd", "damaged.rrd", "out.rrd"]
        .map((name) => join(folder, name)) as [string, string, string];
      writeFileSync(damaged, concat(GOOD.subarray(0, 12), new Uint8Array(100).fill(7)));
      writeFileSync(out, "as it was");
      for (const command of ["merge", "migrate", "filter", "route"]) {
        for (
          const [input, why] of [
            [text, "There is no recording in what was read"],
            [damaged, "No message is left, and not all could be read: nothing is written"],
          ] as const
        ) {
          const args = [command, "--continue-on-error", input, "-f", "-o", out];
          const { code, stderr } = await run(...args);
          assertEquals(code, 1, command);
          assertStringIncludes(stderr, why);
          assertEquals(readFileSync(out, "utf8"), "as it was", command);
        }
      }
      for (const made of [damaged, out]) rmSync(made);
      const gone = await run("stats", join(folder, "gone.rrd"), folder);
      assertStringIncludes(gone.stderr, "gone.rrd: there is no such file");
      assertStringIncludes(gone.stderr, `${folder}: it is a folder`);
      assertEquals(readdirSync(folder).sort(), cases.map(([name]) => name).sort());
    }));
});
