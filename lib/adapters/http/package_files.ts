/**
 * Files of installed packages that browsers are served: Rerun's web viewers and the plots.
 *
 * @module
 */
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import * as modules from "node:module";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createGzip, gunzip, gzip } from "node:zlib";
import { reason } from "../../base/errors.ts";
import type { PackageFiles, ServedPackage } from "./types.ts";

/**
 * The packages whose files are served, in the versions that package.json has (a test compares).
 * `fetch` imports one, which puts it into Deno's cache if it is not there; importing them has no
 * side effects.
 */
const PACKAGES: Readonly<Record<ServedPackage, InstalledPackage>> = {
  "@rerun-io/web-viewer": {
    is: "@rerun-io/web-viewer",
    version: "0.22.0",
    fetch: () => import("@rerun-io/web-viewer"),
  },
  // The same package in another version: package.json gives it this name.
  "rerun-web-viewer-0-33": {
    is: "@rerun-io/web-viewer",
    version: "0.33.0",
    fetch: () => import("rerun-web-viewer-0-33"),
  },
  "uplot": { is: "uplot", version: "1.6.32", fetch: () => import("uplot") },
};

/** A package and its version, under whatever name it is installed. */
interface InstalledPackage {
  readonly is: string;
  readonly version: string;
  readonly fetch: () => Promise<unknown>;
}

/** Level of gzip: a quick one, since most is sent over loopback. */
const LEVEL = 4;

/** The version of each package that is served, and no other. */
export const SERVED_VERSIONS: Readonly<Record<ServedPackage, string>> = {
  "@rerun-io/web-viewer": PACKAGES["@rerun-io/web-viewer"].version,
  "rerun-web-viewer-0-33": PACKAGES["rerun-web-viewer-0-33"].version,
  "uplot": PACKAGES.uplot.version,
};

/** Files of the packages that are installed. */
export const installedPackages: PackageFiles = {
  read: readPackageFile,
  compressed: compressPackageFile,
};

/** A file inside an executable, compressed by gzip. */
export interface EmbeddedFile {
  /** The path by which the runtime reads it. */
  readonly path: string;
  /** Bytes, uncompressed. */
  readonly size: number;
}

/**
 * Files of packages that an executable carries.
 *
 * @param files by the package's name, a slash and the path in its folder
 */
export function embeddedPackages(files: Readonly<Record<string, EmbeddedFile>>): PackageFiles {
  const compressed = async (name: ServedPackage, path: string) => {
    const file = files[`${name}/${path}`];
    if (file === undefined) throw new Error(`${name}/${path} is not in this executable`);
    return { body: new Uint8Array(await readFile(file.path)), size: file.size };
  };
  return {
    compressed,
    async read(name, path) {
      const { body } = await compressed(name, path);
      return new Uint8Array(await promisify<Uint8Array, Uint8Array>(gunzip)(body));
    },
  };
}

/**
 * Reads a file of a package.
 *
 * @param name of the package
 * @param path in its folder
 * @throws {Error} if the package can't be found, or only another version of it
 */
async function readPackageFile(
  name: ServedPackage,
  path: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const { buffer, byteOffset, length } = await readFile(join(await packageFolder(name), path));
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, length);
}

/**
 * Compresses a file of a package piece by piece: it has tens of megabytes, which the memory of a
 * server that keeps to a limit is not for.
 *
 * @param name of the package
 * @param path in its folder
 * @returns the compressed bytes, and how many there are uncompressed
 * @throws {Error} if the package can't be found, or only another version of it
 */
async function compressPackageFile(
  name: ServedPackage,
  path: string,
): Promise<{ body: Uint8Array<ArrayBuffer>; size: number }> {
  const file = join(await packageFolder(name), path);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  await pipeline(createReadStream(file), createGzip({ level: LEVEL }), async (compressed) => {
    for await (const piece of compressed) pieces.push(piece);
  });
  const [{ size }, body] = await Promise.all([stat(file), new Blob(pieces).bytes()]);
  return { body, size };
}

/**
 * Compresses, away from the thread that receives.
 *
 * @param bytes of any length
 */
export async function compressGzip(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(
    await promisify<Uint8Array, { level: number }, Uint8Array>(gzip)(bytes, { level: LEVEL }),
  );
}

/** The folder of a package, looked for from this module and never from the working folder. */
async function packageFolder(name: ServedPackage): Promise<string> {
  const { is, version, fetch } = PACKAGES[name];
  const problems: string[] = [];
  await fetch().catch((error) => problems.push(reason(error)));
  for (const place of [exactly, byName, byPackageJson]) {
    try {
      const there = await describe(place(name, version), is);
      if (there?.version === version) return there.folder;
      if (there !== undefined) problems.push(`${there.folder} has ${there.version}`);
    } catch (error) {
      problems.push(reason(error));
    }
  }
  const found = [...new Set(problems)].join("; ") || "it is not installed";
  throw new Error(
    `${name} ${version} was not found from ${import.meta.url}: ${found}. Install that version ` +
      "beside this package, and on Deno let it be read (--allow-read)",
  );
}

/**
 * By name and version, which Deno alone can look up; it works also if this module came over the
 * network and is in no folder.
 */
function exactly(name: ServedPackage, version: string): string | undefined {
  return "Bun" in globalThis
    ? undefined
    : fileOf(import.meta.resolve(`npm:${PACKAGES[name].is}@${version}`));
}

/** By the package's name, on Bun and Node. */
function byName(name: ServedPackage): string | undefined {
  return fileOf(import.meta.resolve(name));
}

/** By the package's own `package.json`, on Node and Deno. */
function byPackageJson(name: ServedPackage): string | undefined {
  const { findPackageJSON } = modules as Partial<typeof modules>;
  // A module that came over the network, or was bundled, belongs to no package.
  return import.meta.url.startsWith("file:") ? findPackageJSON?.(name, import.meta.url) : undefined;
}

function fileOf(url: string): string | undefined {
  return url.startsWith("file:") ? fileURLToPath(url) : undefined;
}

/** The folder above a file that is the package of this name, and its version. */
async function describe(
  file: string | undefined,
  name: string,
): Promise<{ readonly folder: string; readonly version: string } | undefined> {
  if (file === undefined) return undefined;
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const text = await readFile(join(folder, "package.json"), "utf8").catch((error) => {
      if (error?.code !== "ENOENT") throw error;
    });
    if (text === undefined) continue;
    const { name: found, version } = JSON.parse(text);
    if (found === name) return { folder, version: String(version) };
  }
  return undefined;
}
