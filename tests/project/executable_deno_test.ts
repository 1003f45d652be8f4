/** The program as one file, used as on a machine that has nothing: no runtime, packages or network. */
import { after, before, describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { installedPackages } from "../../lib/adapters/http/package_files.ts";
import { VERSION } from "../../lib/cli/version.ts";
import { PACKAGE_FILES } from "../../lib/viewers/page/assets.ts";
import { ROOT } from "./tree.ts";

const NAME = `rerelay-linux-${process.arch}`;
const CAPTURE = join(ROOT, "tests/fixtures/encodings/0.22.1-mixed-msgpack-off.rrd");
/** Neither HOME nor PATH, no network but loopback, where the system lets us take it away. */
const ALONE = spawnSync("unshare", ["-rn", "true"]).status === 0;

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

const skip = process.platform !== "linux" && "executables are built for Linux here";

describe("the executable", { timeout: 120_000, skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "rerelay-executable-"));
  const program = join(folder, "rerelay");
  const running = new Set<ChildProcess>();
  before(() => {
    const out = join(folder, "dist");
    const args = ["run", "-A", join(ROOT, "tools/build.mjs"), NAME.slice("rerelay-".length)];
    const built = spawnSync(Deno.execPath(), [...args, "--out", out], { encoding: "utf8" });
    assertEquals(built.status, 0, built.stderr);
    assertEquals(readdirSync(out).sort(), [NAME, `${NAME}.sha256`]);
    const sum = readFileSync(join(out, `${NAME}.sha256`), "utf8");
    assertEquals(sum, `${digest(readFileSync(join(out, NAME)))}  ${NAME}\n`);
    copyFileSync(join(out, NAME), program);
    rmSync(out, { recursive: true });
  });
  after(() => {
    for (const child of running) child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  });

  function run(...args: string[]) {
    const { status, stdout, stderr } = spawnSync(program, args, {
      cwd: folder,
      env: {},
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  }

  it("says its version, its help and what is wrong", () => {
    assertEquals(run("--version"), { status: 0, stdout: `rerelay ${VERSION}\n`, stderr: "" });
    assertStringIncludes(run("--help").stdout, "Usage: rerelay [OPTIONS]");
    assertEquals(run("--prot", "1").status, 2);
    assertEquals(run("config", "--port", "1").status, 0);
  });

  it("takes no options and no code from the folder that it is started in", () => {
    const files = {
      ".env": "RERELAY_PORT=1234\n",
      "bunfig.toml": 'preload = ["./evil.ts"]\n',
      "evil.ts": 'console.log("evil");\n',
      "tsconfig.json": '{"compilerOptions": {"paths": {"*": ["./evil.ts"]}}}\n',
      "package.json": '{"imports": {"#x": "./evil.ts"}}\n',
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    try {
      const { status, stdout, stderr } = run("config", "--json");
      assertEquals([status, stderr], [0, ""]);
      assertEquals(JSON.parse(stdout).port, { value: "9876", source: "default" });
    } finally {
      for (const name of Object.keys(files)) rmSync(join(folder, name));
    }
  });

  it("saves, compresses in its worker, and serves the page with its viewer", async () => {
    const child = spawn(
      program,
      [
        ["--port", "0", "--save", "a.rrd", "--compress", "lz4"],
        ["--serve-web", "--ws-server-port", "0", "--web-viewer-port", "0"],
      ].flat(),
      { cwd: folder, env: {} },
    );
    running.add(child);
    let log = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => log += text);
    const sees = async (pattern: RegExp) => {
      for (;;) {
        const match = pattern.exec(log);
        if (match !== null) return match[1]!;
        await once(child.stderr, "data", { signal: AbortSignal.timeout(20_000) });
      }
    };
    const port = await sees(/Hosting a SDK server over TCP at 127\.0\.0\.1:(\d+)/);
    const page = await sees(/Hosting a web viewer at (\S+)/);
    await sees(/(Saving) what is logged/);
    const threads = readdirSync(`/proc/${child.pid}/task`)
      .map((id) => readFileSync(`/proc/${child.pid}/task/${id}/comm`, "utf8").trim());
    assert(threads.includes("Worker"), threads.join());
    const folders = {
      "uplot": "plot",
      "@rerun-io/web-viewer": "viewer",
      "rerun-web-viewer-0-33": "viewer-0.33",
    };
    for (const [name, path] of PACKAGE_FILES) {
      const place = folders[name];
      const served = new URL(`${place}/${path.replace("dist/", "")}`, page);
      const body = new Uint8Array(await (await fetch(served)).arrayBuffer());
      assertEquals(digest(body), digest(await installedPackages.read(name, path)), served.pathname);
    }
    const sent = run("rrd", "replay", CAPTURE, "--to", `127.0.0.1:${port}`);
    assertEquals(sent.status, 0, sent.stderr);
    // By its number: Deno would report the signal that its own kill sent, and not how the program ended.
    process.kill(child.pid!, "SIGTERM");
    const [code] = await once(child, "close");
    assertEquals(code, 0, log);
    assert(!/WARN|ERROR/.test(log), log);
    const verified = run("rrd", "verify", "--strict", "a.rrd");
    assertEquals(verified.status, 0, verified.stderr);
    assert(statSync(join(folder, "a.rrd")).size < statSync(CAPTURE).size);
  });

  it("needs no network but loopback", { skip: !ALONE && "needs unshare" }, () => {
    const script = `ip link set lo up; exec "$0" --port 0 --save b.rrd & sleep 1; kill $!; wait $!`;
    const { stderr, status } = spawnSync("unshare", ["-rn", "sh", "-c", script, program], {
      cwd: folder,
      encoding: "utf8",
    });
    assertStringIncludes(stderr, "Hosting a SDK server");
    assertEquals(status, 0, stderr);
    assertEquals(statSync(join(folder, "b.rrd")).size, 20);
  });
});
