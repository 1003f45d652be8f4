/**
 * Type-checks the core with the Web's types alone: no Deno, no Bun, no Node.
 *
 * What names a runtime is kept out by the import map: its adapters, and packages whose types would
 * bring Node's into the whole program.
 */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const STAND_INS = {
  "apache-arrow": "tools/web_only/apache_arrow.d.ts",
  "apache-arrow/Arrow.dom": "tools/web_only/apache_arrow.d.ts",
  "@std/bytes": "std/bytes/mod.d.ts",
  "@std/encoding": "std/encoding/mod.d.ts",
  "@std/streams": "std/streams/mod.d.ts",
  "lib/adapters/files/bun_files.ts": "tools/web_only/runtime_adapters.d.ts",
  "lib/adapters/tcp/bun_tcp.ts": "tools/web_only/runtime_adapters.d.ts",
  "lib/adapters/files/deno_files.ts": "tools/web_only/runtime_adapters.d.ts",
  "lib/adapters/tcp/deno_tcp.ts": "tools/web_only/runtime_adapters.d.ts",
  "lib/adapters/tcp/node_grpc.ts": "tools/web_only/runtime_adapters.d.ts",
  "lib/adapters/tcp/unread_bytes.ts": "tools/web_only/runtime_adapters.d.ts",
  "lib/adapters/process/held_files.ts": "tools/web_only/runtime_adapters.d.ts",
  "lib/adapters/process/lower_priority.ts": "tools/web_only/runtime_adapters.d.ts",
  "lib/adapters/process/open_files.ts": "tools/web_only/runtime_adapters.d.ts",
  "lib/adapters/http/node_http.ts": "tools/web_only/runtime_adapters.d.ts",
};

/**
 * Writes the check's configuration and lists its files.
 *
 * @param {string} root the package
 * @param {string} folder where the configuration goes
 * @returns {Promise<string[]>} arguments for Deno
 */
export async function webOnlyArgs(root, folder) {
  const url = (path) => pathToFileURL(join(root, path)).href;
  const { dependencies } = JSON.parse(await fs.readFile(join(root, "package.json"), "utf8"));
  const { compilerOptions } = JSON.parse(await fs.readFile(join(root, "deno.json"), "utf8"));
  const imports = {};
  for (const [name, version] of Object.entries(dependencies)) {
    imports[name] = `npm:${name}@${version}`;
    imports[`${name}/`] = `npm:/${name}@${version}/`;
  }
  for (const [name, path] of Object.entries(STAND_INS)) {
    imports[name.startsWith("lib/") ? url(name) : name] = url(path);
  }
  const lib = ["esnext", "dom", "dom.iterable", "dom.asynciterable"];
  const options = { ...compilerOptions, lib, types: [] };
  const config = join(folder, "web_only.json");
  await fs.writeFile(config, JSON.stringify({ imports, compilerOptions: options }));
  const core = (await sources(root, "lib")).filter((path) => !/^lib\/(adapters|cli)\//.test(path));
  return ["check", "--config", config, "--no-lock", "mod.ts", "core.ts", ...core];
}

/**
 * Lists TypeScript files in a folder of the package.
 *
 * @param {string} root the package
 * @param {string} folder relative to it
 * @returns {Promise<string[]>} paths relative to the package, with slashes, in order
 */
export async function sources(root, folder) {
  const entries = await fs.readdir(join(root, folder), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(root.length + 1))
    .map((path) => path.replaceAll("\\", "/")).sort();
}
