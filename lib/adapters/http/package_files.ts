/**
 * Files of installed packages that are no code of ours: what a browser is served.
 *
 * @module
 */
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createGzip, gzip } from "node:zlib";

/** Fetches packages into Deno's cache, where they are not there; none has side effects. */
const FETCH = {
  "@rerun-io/web-viewer": () => import("@rerun-io/web-viewer"),
  // The same package in another version: package.json gives it this name.
  "rerun-web-viewer-0-33": () => import("rerun-web-viewer-0-33"),
  "uplot": () => import("uplot"),
} as const;

/** Compressed quickly, since it is mostly sent over loopback. */
const LEVEL = 4;

/** A package whose files are served. */
export type ServedPackage = keyof typeof FETCH;

/**
 * Reads a file of a package.
 *
 * @param name of the package
 * @param path in its folder
 * @throws {Error} if the package can't be found
 */
export async function readPackageFile(
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
 * @returns what it is compressed, and how many bytes it has uncompressed
 * @throws {Error} if the package can't be found
 */
export async function compressPackageFile(
  name: ServedPackage,
  path: string,
): Promise<{ body: Uint8Array<ArrayBuffer>; size: number }> {
  const file = join(await packageFolder(name), path);
  const pieces: Uint8Array[] = [];
  await pipeline(createReadStream(file), createGzip({ level: LEVEL }), async (compressed) => {
    for await (const piece of compressed) pieces.push(piece);
  });
  const [{ size }, body] = await Promise.all([stat(file), new Blob(pieces as BlobPart[]).bytes()]);
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

async function packageFolder(name: ServedPackage): Promise<string> {
  await FETCH[name]();
  // Not `findPackageJSON`: on Deno it takes any version of a package for the one that is asked for.
  const found = await packageOf(fileURLToPath(import.meta.resolve(name)));
  if (found === undefined) throw new Error(`The package ${name} is not installed`);
  return dirname(found);
}

/** The nearest `package.json` above a file. */
async function packageOf(file: string): Promise<string | undefined> {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const path = join(folder, "package.json");
    // Not `access`, which asks Deno for who the user is, and ends the program where it may not know.
    if (await stat(path).then(() => true, () => false)) return path;
  }
  return undefined;
}
