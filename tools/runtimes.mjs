/**
 * Finds Deno and Bun of the versions in package.json ("engines"), or fetches them with npm.
 *
 * A runtime is taken from PATH if the version fits, else from a folder per user that is filled once
 * (RERELAY_TOOLS, or the place of the user's caches).
 */
import { spawn } from "node:child_process";
import { constants } from "node:fs";
import * as fs from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** Where the package is. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * What Deno runs the server with: V8 would let its young generation grow to 2 × 32 MB, which makes
 * nothing faster here; with 2 × 8 the process is 50 MB smaller after some GB of small messages.
 */
export const DENO_FLAGS = ["--v8-flags=--max-semi-space-size=8"];

/** A fault whose text tells the user what to do; shown without a stack. */
export class ToolError extends Error {}

const WINDOWS = process.platform === "win32";
const TITLES = { deno: "Deno", bun: "Bun" };

/**
 * The versions that this package is tested with.
 *
 * @returns {Promise<{ deno: string, bun: string }>}
 */
export async function versions() {
  const { engines } = JSON.parse(await fs.readFile(join(ROOT, "package.json"), "utf8"));
  return { deno: engines.deno, bun: engines.bun };
}

/** Which runtime runs this very script. */
export function ownRuntime() {
  if (process.versions.bun) return "bun";
  return process.versions.deno ? "deno" : "node";
}

/**
 * Whether missing runtimes may be fetched: only behind npm. Who comes with Deno or Bun alone asked
 * for no download.
 */
export function mayFetch(env = process.env) {
  return ownRuntime() === "node" && !byBun(env);
}

/**
 * Finds the runtimes, and fetches what is missing.
 *
 * @param {("deno" | "bun")[]} names what is needed
 * @param {{ fetch: boolean, env?: Record<string, string | undefined> }} options `fetch`: whether
 * missing ones are fetched
 * @returns {Promise<{ paths: { deno?: string, bun?: string }, env: Record<string, string | undefined> }>}
 * where they are, and an environment with them first on PATH
 * @throws {ToolError} if one could not be fetched
 */
export async function ensureRuntimes(names, { fetch, env = process.env }) {
  const wanted = await versions();
  const found = await Promise.all(names.map(async (name) => {
    const given = startedBy(name, env);
    if (given) return [name, given];
    const path = await onPath(name, wanted[name], env);
    if (path) return [name, path];
    for (const folder of toolsFolders(env)) {
      const kept = join(folder, `${name}-${wanted[name]}`, fileName(name));
      if (await isExecutable(kept)) return [name, kept];
    }
    return [name, fetch ? await fetchRuntime(name, wanted[name], env) : undefined];
  }));
  const paths = Object.fromEntries(found.filter(([, path]) => path));
  const folders = Object.values(paths).map((path) => dirname(path));
  return { paths, env: withPath(env, folders) };
}

/** Where fetched runtimes are kept: in the user's folder, or, if it is sealed, in the package. */
function toolsFolders(env) {
  return env.RERELAY_TOOLS ? [env.RERELAY_TOOLS] : [userFolder(env), join(ROOT, ".cache", "tools")];
}

function userFolder(env) {
  if (WINDOWS && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, "rerelay", "tools");
  const home = env.HOME || homedir();
  if (process.platform === "darwin") return join(home, "Library", "Caches", "rerelay", "tools");
  return join(env.XDG_CACHE_HOME || join(home, ".cache"), "rerelay", "tools");
}

/** The runtime that the user came with, whatever its version. */
function startedBy(name, env) {
  if (ownRuntime() === name) return process.execPath;
  return name === "bun" && byBun(env) ? env.npm_execpath : undefined;
}

function byBun(env) {
  return env.npm_config_user_agent?.startsWith("bun/") ?? false;
}

async function onPath(name, version, env) {
  for (const folder of (env.PATH ?? env.Path ?? "").split(delimiter)) {
    const path = join(folder, fileName(name));
    if (!folder || !await isExecutable(path)) continue;
    // npm's launcher scripts pass no signals on.
    if (/\.[cm]?js$/.test(await fs.realpath(path))) return undefined;
    // Only the first counts: it is the one that programs started by name get.
    return (await versionOf(path)).version === version ? path : undefined;
  }
  return undefined;
}

function withPath(env, folders) {
  const key = Object.keys(env).find((k) => k.toUpperCase() === "PATH") ?? "PATH";
  const rest = (env[key] ?? "").split(delimiter).filter(Boolean);
  const missing = [...new Set(folders)].filter((folder) => !rest.includes(folder));
  return { ...env, [key]: [...missing, ...rest].join(delimiter) };
}

async function fetchRuntime(name, version, env) {
  const what = `${TITLES[name]} ${version}`;
  const tools = await writableTools(env, what);
  await removeLeftovers(tools);
  const temporary = await fs.mkdtemp(join(tools, `.fetch-${name}-`));
  const start = performance.now();
  const seconds = () => `${Math.round((performance.now() - start) / 1000)} s`;
  say(`fetching ${what} with npm into ${tools} (once, about 40 MB)`);
  const progress = setInterval(() => say(`still fetching ${what} (${seconds()})`), 5000);
  try {
    await npmInstall(`${name}@${version}`, temporary, what, env);
    const binary = await workingBinary(name, version, temporary, what);
    const kept = join(temporary, "kept");
    await fs.mkdir(kept);
    await fs.rename(binary, join(kept, fileName(name)));
    const folder = join(tools, `${name}-${version}`);
    // The rename is what makes it safe that several fetch at once: the first wins, all are alike.
    await fs.rename(kept, folder).catch(async (error) => {
      if (!await isExecutable(join(folder, fileName(name)))) throw error;
    });
    say(`${what} is ready (${seconds()})`);
    return join(folder, fileName(name));
  } finally {
    clearInterval(progress);
    await fs.rm(temporary, { recursive: true, force: true });
  }
}

async function writableTools(env, what) {
  const faults = [];
  for (const folder of toolsFolders(env)) {
    try {
      await fs.mkdir(folder, { recursive: true });
      await fs.access(folder, constants.W_OK);
      return folder;
    } catch (error) {
      faults.push(error.message);
    }
  }
  throw new ToolError(
    `No folder to keep ${what} in: ${
      faults.join("; ")
    }. Set RERELAY_TOOLS to one that can be written.`,
  );
}

/** What killed fetches left behind; an hour is longer than any fetch takes. */
async function removeLeftovers(tools) {
  for (const entry of await fs.readdir(tools)) {
    const path = join(tools, entry);
    const age = Date.now() - ((await fs.stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (entry.startsWith(".fetch-") && age > 3_600_000) {
      await fs.rm(path, { recursive: true, force: true });
    }
  }
}

async function npmInstall(spec, prefix, what, env) {
  await fs.writeFile(join(prefix, "package.json"), `{ "private": true }\n`);
  const options = ["--prefix", prefix, "--ignore-scripts", "--include=optional", "--no-save"];
  const quiet = ["--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"];
  // npm's own patience, over a minute, looks like a hang to somebody who is offline.
  const patience = ["--fetch-retry-mintimeout=2000", "--fetch-retry-factor=3"];
  const [command, ...before] = npmCommand(env);
  const args = [...before, "install", spec, ...options, ...quiet, ...patience];
  const { code, output } = await run(command, args, { env, cwd: prefix, shell: WINDOWS });
  if (code === 0) return;
  throw new ToolError(
    `Could not fetch ${what} with npm:\n${withoutStack(output) || `npm ended with ${code}`}\n` +
      `Check the network and npm's registry and proxy settings, then try again. Or install ${what} ` +
      `yourself and put it on PATH, or set RERELAY_TOOLS to a folder that has it.`,
  );
}

function withoutStack(output) {
  return output.split("\n").filter((line) => !/^npm error\s+at /.test(line)).join("\n").trim();
}

function npmCommand(env) {
  const script = env.npm_execpath;
  return script && /npm-cli\.[cm]?js$/.test(script) ? [process.execPath, script] : ["npm"];
}

/**
 * npm's install scripts are never run (some set-ups refuse them), so the binary is taken from the
 * package of the platform. npm may have chosen more than one (glibc and musl): the one that runs.
 */
async function workingBinary(name, version, prefix, what) {
  const scope = join(prefix, "node_modules", name === "deno" ? "@deno" : "@oven");
  const faults = [];
  for (const entry of (await fs.readdir(scope).catch(() => [])).sort()) {
    for (const place of [join(scope, entry), join(scope, entry, "bin")]) {
      const path = join(place, fileName(name));
      if (!await fs.access(path).then(() => true, () => false)) continue;
      await fs.chmod(path, 0o755);
      const said = await versionOf(path);
      if (said.version === version) return path;
      faults.push(`${entry}: ${said.output.trim() || "said nothing"}`);
    }
  }
  throw new ToolError(
    `npm has no ${what} that runs on this machine (${process.platform} ${process.arch}). ` +
      `${faults.join("; ")}\nInstall ${what} in another way and put it on PATH.`,
  );
}

async function versionOf(path) {
  const { output } = await run(path, ["--version"], {}).catch((error) => ({
    output: error.message,
  }));
  return { version: /^(?:deno )?(\d+\.\d+\.\d+\S*)/.exec(output)?.[1], output };
}

async function isExecutable(path) {
  try {
    await fs.access(path, constants.X_OK);
    return (await fs.stat(path)).isFile();
  } catch {
    return false;
  }
}

function fileName(name) {
  return WINDOWS ? `${name}.exe` : name;
}

function run(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (data) => output += data);
    child.stderr.on("data", (data) => output += data);
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code: code ?? signal, output }));
  });
}

function say(text) {
  process.stderr.write(`rerelay: ${text}\n`);
}
