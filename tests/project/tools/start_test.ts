import { assert, assertEquals } from "@std/assert";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, totalmem } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Cli } from "../../cli/cli_process.ts";

const script = fileURLToPath(new URL("../../../tools/start.mjs", import.meta.url));
const PORTS = ["--port", "0", "--ws-server-port", "0", "--web-viewer-port", "0"];

describe("npm start", () => {
  it("may see the memory that the history takes a share of", async () => {
    const args = ["--serve-web", "--server-memory-limit", "50%", "--log-level", "debug"];
    const cli = new Cli([...PORTS, ...args], { script });
    const [, gigabytes] = await cli.sees(/history of up to ([\d.]+) GB/);
    cli.signal("SIGTERM");
    const { code, stderr } = await cli.ended;
    assertEquals([code, /WARN.*/.exec(stderr)?.[0]], [0, undefined]);
    assert(Math.abs(Number(gigabytes) * 1e9 - totalmem() / 2) < 1e8, `${gigabytes} GB`);
  });

  it("may open the browser, where one is asked for", async () => {
    if (["darwin", "win32"].includes(process.platform)) return; // it would open a real one
    const folder = mkdtempSync(join(tmpdir(), "rerelay-start-"));
    writeFileSync(join(folder, "xdg-open"), `#!/bin/sh\necho "$1" > ${folder}/opened\n`);
    chmodSync(join(folder, "xdg-open"), 0o755);
    const env = { DISPLAY: ":0", PATH: `${folder}${delimiter}${process.env.PATH}` };
    const cli = new Cli([...PORTS, "--web-viewer"], { script, env });
    await cli.sees(/Hosting a web viewer/);
    while (!existsSync(join(folder, "opened"))) await new Promise((done) => setTimeout(done, 10));
    cli.signal("SIGTERM");
    assertEquals((await cli.ended).code, 0);
    rmSync(folder, { recursive: true });
  });
});
