/** The project's own files, for tests about them. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where the package is, with a separator at its end. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const UNTRACKED = /^(\.git|\.cache|node_modules|coverage)(\/|$)/;

/** All files under version control; outside of a clone all that are there. Relative, with slashes. */
export function projectFiles(): string[] {
  const listed = spawnSync("git", ["ls-files", "-z"], { cwd: ROOT, encoding: "utf8" });
  if (listed.status === 0) return listed.stdout.split("\0").filter(Boolean);
  return readdirSync(ROOT, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length).replaceAll("\\", "/"))
    .filter((path) => !UNTRACKED.test(path));
}

/** The TypeScript files in folders (`lib/`) or of names (`mod.ts`), on the disk now. */
export function sources(...places: string[]): string[] {
  const all = places.flatMap((place) =>
    place.endsWith("/")
      ? readdirSync(join(ROOT, place), { recursive: true, encoding: "utf8" })
        .map((path) => place + path.replaceAll("\\", "/"))
      : [place]
  );
  return all.filter((path) => path.endsWith(".ts")).sort();
}

/** A file's text. */
export function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** A JSON file. */
export function readJson<T>(path: string): T {
  return JSON.parse(read(path)) as T;
}
