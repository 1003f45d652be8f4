import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { holdFile, isFileHeld } from "../../../lib/adapters/process/held_files.ts";

const MODULE = new URL("../../../lib/adapters/process/held_files.ts", import.meta.url).href;
const skip = process.platform === "win32" && "no such locks";

describe("files that are held", { skip, timeout: 30_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "rerelay-held-"));
  const path = join(folder, "a.lock");

  it("are so until they are given up, for this program too", async () => {
    writeFileSync(path, "");
    assertEquals(await isFileHeld(path), false);
    const release = await holdFile(path);
    assert(release !== undefined);
    assertEquals([await isFileHeld(path), await holdFile(path)], [true, undefined]);
    await release();
    assertEquals(await isFileHeld(path), false);
  });

  it("are let go by a program that is killed", async () => {
    const program = join(folder, "hold.mjs");
    const text = `import { holdFile } from ${JSON.stringify(MODULE)};
      globalThis.kept = await holdFile(${JSON.stringify(path)});
      console.log(kept !== undefined);
      setInterval(() => {}, 1000);`;
    writeFileSync(program, text);
    const args = "Bun" in globalThis ? [program] : ["run", "-A", "--no-check", program];
    const child = spawn(process.execPath, args);
    const [said] = await once(child.stdout, "data");
    assertEquals([`${said}`.trim(), await isFileHeld(path)], ["true", true]);
    child.kill("SIGKILL");
    await once(child, "exit");
    assertEquals(await isFileHeld(path), false);
  });

  it("are not where there is none", async () => {
    const none = join(folder, "none");
    assertEquals([await holdFile(none), await isFileHeld(none)], [undefined, undefined]);
    rmSync(folder, { recursive: true });
  });
});
