/** The module as JSR gives it to Deno: over the network, with the versions in its imports. */
import { assert, assertEquals } from "@std/assert";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, parse } from "node:path";
import { after, before, describe, it } from "node:test";
import { installedPackages } from "../../../lib/adapters/http/package_files.ts";
import { readJson, ROOT } from "../../project/tree.ts";

const { dependencies } = readJson<{ dependencies: Record<string, string> }>("package.json");

/** Writes what `deno publish` writes in place of names that only an import map knows. */
function published(code: string): string {
  return code.replaceAll(
    /(\bfrom |\bimport\()"(@[\w.-]+\/[\w.-]+|[\w.-]+)/g,
    (text, how, name) => {
      // As JSR has them: no package of npm is needed for these.
      if (name === "deno-std") return `${how}"/node_modules/deno-std`;
      if (name.startsWith("@std/")) return `${how}"/${name.slice(1)}/mod.ts`;
      const version = dependencies[name];
      if (version === undefined) return text;
      // Another name for a package stands with the package's own.
      return `${how}"${version.startsWith("npm:") ? version : `npm:${name}@${version}`}`;
    },
  );
}

interface Found {
  readonly files: Record<string, string | null>;
  readonly lines: string[];
}

describe("files of packages that may not be read", () => {
  it("are told of on the console where no log is passed", async () => {
    const probe = join(ROOT, "tests/adapters/http/package_probe.ts");
    const args = ["run", "--no-prompt", "--no-check", probe, "--console"];
    const { stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
    const text = new TextDecoder().decode(stderr);
    assert(
      /without \/viewer-0\.33\/index\.js: .*Requires read access to .*--allow-read/.test(text),
      text,
    );
  });
});

describe("files of packages, where this package came over the network", () => {
  const folder = mkdtempSync(join(tmpdir(), "rerelay-remote-"));
  let server: Server;
  let address: string;
  let probe: string;
  before(async () => {
    server = createServer(async (request, response) => {
      const code = await readFile(join(ROOT, request.url!), "utf8").catch(() => undefined);
      response.writeHead(code === undefined ? 404 : 200, {
        "content-type": "application/typescript",
      });
      response.end(code && published(code));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    probe = `http://${address}/tests/adapters/http/package_probe.ts`;
    cpSync(join(ROOT, "deno.lock"), join(folder, "deno.lock"));
  });
  after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  /** Runs a program of a folder, which imports the probe. */
  async function run(cwd: string, program: string): Promise<Found> {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        `--lock=${join(folder, "deno.lock")}`,
        `--reload=http://${address}`,
        program,
      ],
      cwd,
    }).output();
    const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    return JSON.parse(out || JSON.stringify({ files: {}, lines: [error] }));
  }

  it("are this package's, in a working folder without any", async () => {
    const viewer = await installedPackages.read("rerun-web-viewer-0-33", "index.js");
    for (const cwd of [folder, parse(folder).root]) {
      const { files, lines } = await run(cwd, probe);
      assertEquals(lines, []);
      assertEquals(files["/viewer-0.33/index.js"], new TextDecoder().decode(viewer));
    }
  });

  it("are not another version's of the working folder, which the log says", async () => {
    const app = join(folder, "app");
    const theirs = join(app, "node_modules/rerun-web-viewer-0-33");
    mkdirSync(theirs, { recursive: true });
    const names = { "rerun-web-viewer-0-33": "0.21.0" };
    writeFileSync(join(app, "package.json"), JSON.stringify({ dependencies: names }));
    const json = { name: "@rerun-io/web-viewer", version: "0.21.0", exports: "./index.js" };
    writeFileSync(join(theirs, "package.json"), JSON.stringify(json));
    writeFileSync(join(theirs, "index.js"), "// theirs");
    writeFileSync(join(app, "main.ts"), `import "${probe}";`);
    const { files, lines } = await run(app, "main.ts");
    assertEquals(files["/viewer-0.33/index.js"], null);
    assert(files["/"]!.startsWith("<!DOCTYPE html>"), "the rest of the page works");
    assert(
      lines.some((line) => line.includes("rerun-web-viewer-0-33 0.33.0 was not found")),
      lines[0],
    );
  });
});
