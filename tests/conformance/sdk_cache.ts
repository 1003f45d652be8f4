/** Real SDKs from PyPI, each in a virtual environment that is kept between runs. */
import { access, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { run } from "./child.ts";
import type { Python } from "./python.ts";

/** Installing one SDK, in milliseconds; 110 MB are downloaded: it took five minutes beside much else. */
const INSTALL_MS = 600_000;

/** Half-made folders of killed runs are removed after this, in milliseconds. */
const LEFTOVER_MS = 2 * INSTALL_MS;

/** Counted up when what is installed changes. */
const RECIPE = 1;
/** Of one that is asked for its catalog: what that needs beside it, installed with it and never while it runs. */
const EXTRAS: Readonly<Record<string, string>> = { "0.41.0": "catalog" };
/** The network may fail once. */
const TRIES = 2;
/** What SDKs before 0.23 do not limit themselves. */
const OTHER_PACKAGES = ["numpy<2", "pyarrow<19"];

/** An installed SDK. */
export interface Sdk {
  readonly version: string;
  /** Its Python. */
  readonly python: string;
  /** Its CLI. */
  readonly rerun: readonly string[];
  /** How the CLI prints a file; 0.9 can't. */
  readonly printCommand: readonly string[] | undefined;
  /** With a home folder of its own, in which the CLI's analytics are off. */
  readonly env: Record<string, string>;
}

/** The folder that is kept. */
export function cacheFolder(env = process.env): string {
  if (env.RERELAY_CACHE) return env.RERELAY_CACHE;
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), ".cache"), "rerelay", "sdks");
}

/** Installs SDKs, one after the other. */
export class SdkCache {
  #last: Promise<unknown> = Promise.resolve();
  readonly #sdks = new Map<string, Promise<Sdk>>();

  constructor(readonly folder: string, readonly python: Python) {}

  /**
   * The SDK of this version, installed if it is not yet.
   *
   * @throws if that fails
   */
  get(version: string): Promise<Sdk> {
    let sdk = this.#sdks.get(version);
    if (sdk === undefined) {
      sdk = this.#last.then(() => this.#provide(version));
      this.#sdks.set(version, sdk);
      this.#last = sdk.catch(() => {});
    }
    return sdk;
  }

  async #provide(version: string): Promise<Sdk> {
    const extra = EXTRAS[version];
    const recipe = extra === undefined ? `${RECIPE}` : `${RECIPE}-${extra}`;
    const folder = join(this.folder, `${version}-py${this.python.version}-${recipe}`);
    for (let tries = 1; !await isWhole(folder); tries++) {
      try {
        await this.#install(version, folder);
      } catch (error) {
        if (tries === TRIES) throw error;
        console.log(`once more: ${(error as Error).message}`);
      }
    }
    const facts = JSON.parse(await readFile(join(folder, "rerelay.json"), "utf8"));
    return { ...await located(version, folder), printCommand: facts.printCommand };
  }

  /** Made under another name: what a killed run leaves is never taken for whole. */
  async #install(version: string, folder: string): Promise<void> {
    console.log(`installing rerun-sdk ${version} into ${this.folder} (once)`);
    await mkdir(this.folder, { recursive: true });
    await this.#removeLeftovers();
    const making = join(this.folder, `.making-${version}-${process.pid}`);
    await rm(making, { recursive: true, force: true });
    try {
      const end = performance.now() + INSTALL_MS;
      const rest = () => ({ ms: Math.max(1, Math.round(end - performance.now())) });
      await run([this.python.command, "-m", "venv", making], rest());
      const pip = [join(making, "bin", "python"), "-m", "pip", "install", "--quiet"];
      const wheels = ["--disable-pip-version-check", "--only-binary", ":all:"];
      const others = Number(version.split(".")[1]) < 23 ? OTHER_PACKAGES : [];
      const extra = EXTRAS[version] === undefined ? "" : `[${EXTRAS[version]}]`;
      await run([...pip, ...wheels, `rerun-sdk${extra}==${version}`, ...others], rest());
      await mkdir(join(making, "home"));
      const facts = { printCommand: await prepareRerun(await located(version, making)) };
      await writeFile(join(making, "rerelay.json"), JSON.stringify(facts));
      // Another run may have been faster, and be using it.
      if (await isWhole(folder)) return;
      await rm(folder, { recursive: true, force: true });
      await rename(making, folder);
    } finally {
      await rm(making, { recursive: true, force: true });
    }
  }

  async #removeLeftovers(): Promise<void> {
    for (const name of await readdir(this.folder)) {
      if (!name.startsWith(".making-")) continue;
      const path = join(this.folder, name);
      const made = await stat(path).then(({ mtimeMs }) => mtimeMs, () => Date.now());
      const abandoned = !isRunning(Number(name.split("-").at(-1)));
      if (abandoned || Date.now() - made > LEFTOVER_MS) {
        await rm(path, { recursive: true, force: true });
      }
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as { code?: string }).code !== "ESRCH";
  }
}

/** `access` follows the link to the Python, which may have been removed since. */
async function isWhole(folder: string): Promise<boolean> {
  try {
    await access(join(folder, "rerelay.json"));
    await access(join(folder, "bin", "python"));
    return true;
  } catch {
    return false;
  }
}

async function located(version: string, folder: string): Promise<Omit<Sdk, "printCommand">> {
  const python = join(folder, "bin", "python");
  const lib = join(folder, "lib");
  const [packages = ""] = (await readdir(lib)).filter((name) => name.startsWith("python3"));
  const installed = join(lib, packages, "site-packages");
  // Newer ones have it outside of the SDK; before 0.16 the CLI is inside the Python module.
  const places = [join(installed, "rerun_cli"), join(installed, "rerun_sdk", "rerun_cli")];
  const found = await Promise.all(
    places.map((place) => access(join(place, "rerun")).then(() => true, () => false)),
  );
  const binary = places.filter((_, i) => found[i]).map((place) => join(place, "rerun"))[0];
  const home = join(folder, "home");
  const rerun = binary !== undefined ? [binary] : [python, "-m", "rerun"];
  const env = { HOME: home, PATH: process.env.PATH ?? "", LANG: "C.UTF-8", PYTHONUTF8: "1" };
  return { version, python, rerun, env };
}

/** Turns analytics off, which keep the network out of the tests, and asks how it prints files. */
async function prepareRerun({ rerun, env }: Omit<Sdk, "printCommand">) {
  const options = { ms: 60_000, env };
  await run([...rerun, "analytics", "disable"], options);
  const { stdout } = await run([...rerun, "--help"], options);
  if (/^ +rrd /m.test(stdout)) return ["rrd", "print"];
  return /^ +print /m.test(stdout) ? ["print"] : undefined;
}
