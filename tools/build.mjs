/**
 * Makes executables that need nothing else, no runtime, no packages and no network: `npm run build`.
 *
 * Bun compiles them, for other systems too; the page's viewers lie inside, compressed, and so do the
 * programs of the workers. `npm run build -- linux-arm64` makes one of them, `--out FOLDER` elsewhere
 * than in dist/.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { basename, join, relative } from "node:path";
import process from "node:process";
import { parseArgs, promisify } from "node:util";
import { gzip } from "node:zlib";
import { installedPackages } from "../lib/adapters/http/package_files.ts";
import { PACKAGE_FILES } from "../lib/viewers/page/assets.ts";
import { ROOT } from "./runtimes.mjs";
import { TARGETS } from "./targets.mjs";

/**
 * Of the folder that it is started in, the executable takes nothing that Bun would read by itself: a
 * `.env` there would set options, and a `bunfig.toml` would run code.
 */
const ALONE = ["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"];

/** Once for all who copy it. */
const GZIP_LEVEL = 9;

/**
 * Files of lib/ that are started as workers.
 *
 * @returns {Promise<string[]>} their paths
 */
async function workers() {
  const lib = join(ROOT, "lib");
  const names = await fs.readdir(lib, { recursive: true });
  const found = names.filter((name) => /(?:^|[/\\])_\w+_worker\.ts$/.test(name));
  // The executable has them all in one folder, where the code that starts them looks.
  const once = new Set(found.map((name) => basename(name)));
  if (once.size < found.length) throw new Error(`two workers have one name: ${found}`);
  return found.map((name) => join(lib, name));
}

/**
 * Compresses a file of a package into a folder.
 *
 * @param {string} folder
 * @param {number} i
 * @returns {Promise<{ key: string, name: string, size: number }>}
 */
async function embed(folder, i) {
  const [packageName, path] = PACKAGE_FILES[i];
  const bytes = await installedPackages.read(packageName, path);
  const name = `${i}.gz`;
  await fs.writeFile(join(folder, name), await promisify(gzip)(bytes, { level: GZIP_LEVEL }));
  return { key: `${packageName}/${path}`, name, size: bytes.length };
}

/**
 * The program that is compiled.
 *
 * @param {string} folder where it will lie
 * @param {readonly { key: string, name: string, size: number }[]} files
 */
function program(folder, files) {
  const lib = (/** @type {string} */ path) => JSON.stringify(from(folder, join(ROOT, "lib", path)));
  const imports = files.map(({ name }, i) =>
    `import file${i} from "./${name}" with { type: "file" };`
  );
  const entries = files.map(({ key, size }, i) =>
    `  ${JSON.stringify(key)}: { path: file${i}, size: ${size} },`
  );
  return [
    `import { embeddedPackages } from ${lib("adapters/http/package_files.ts")};`,
    `import { main } from ${lib("cli/main.ts")};`,
    `import { thisProcess } from ${lib("cli/process.ts")};`,
    ...imports,
    "",
    "const process = thisProcess();",
    "const packages = embeddedPackages({",
    ...entries,
    "});",
    "process.exit(await main({ ...process, packages }));",
    "",
  ].join("\n");
}

/**
 * How a module in a folder imports a file.
 *
 * @param {string} folder
 * @param {string} path
 */
function from(folder, path) {
  return relative(folder, path).replaceAll("\\", "/");
}

/**
 * Compiles for one system.
 *
 * @param {string} folder
 * @param {string} target
 * @param {readonly string[]} entries
 * @returns {Promise<string>} the executable's path
 */
async function compile(folder, target, entries) {
  const out = join(folder, `rerelay-${target}${target.startsWith("windows") ? ".exe" : ""}`);
  const output = [`--target=bun-${target}`, `--outfile=${out}`];
  const args = ["build", "--compile", "--minify", ...ALONE, ...output];
  const { status, stdout, stderr, error } = spawnSync("bun", [...args, ...entries], {
    cwd: ROOT,
    encoding: "utf8",
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`bun could not make ${out}:\n${stdout}${stderr}`);
  const hash = createHash("sha256").update(await fs.readFile(out)).digest("hex");
  await fs.writeFile(`${out}.sha256`, `${hash}  ${basename(out)}\n`);
  return out;
}

const { values, positionals: asked } = parseArgs({
  options: { out: { type: "string", default: join(ROOT, "dist") } },
  allowPositionals: true,
});
const wrong = asked.find((target) => !TARGETS.includes(target));
if (wrong !== undefined) {
  process.stderr.write(`rerelay: there is no ${wrong}; there are ${TARGETS.join(", ")}\n`);
  process.exit(2);
}
await fs.mkdir(values.out, { recursive: true });
const folder = await fs.mkdtemp(join(values.out, "program-"));
try {
  const files = await Promise.all(PACKAGE_FILES.map((_, i) => embed(folder, i)));
  const entries = [join(folder, "rerelay.ts")];
  await fs.writeFile(entries[0], program(folder, files));
  for (const path of await workers()) {
    const entry = join(folder, basename(path));
    await fs.writeFile(entry, `import ${JSON.stringify(from(folder, path))};\n`);
    entries.push(entry);
  }
  for (const target of asked.length > 0 ? asked : TARGETS.slice(0, 2)) {
    const out = await compile(values.out, target, entries);
    const { size } = await fs.stat(out);
    process.stdout.write(`${out}  ${Math.round(size / 1e6)} MB\n`);
  }
} finally {
  await fs.rm(folder, { recursive: true });
}
