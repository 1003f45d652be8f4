/**
 * Warns when a file holds data of several SDK versions.
 *
 * @module
 */
import { type RrdHeader, type RrdVersion, rrdVersionText } from "../../encoding/rrd_header.ts";
import type { Log } from "../../base/log.ts";
import type { RrdWriter } from "./writer/rrd_writer.ts";

/** How many versions are reported: peers choose them as they like. */
const MAX_WARNED_VERSIONS = 16;

/** Warns once for each version. */
export class VersionWarnings {
  readonly #log: Log;
  readonly #warned = new Set<string>();

  /** @param log where */
  constructor(log: Log) {
    this.#log = log;
  }

  /** Compares the version of a message with that of its file. */
  look({ path, header }: RrdWriter, { version }: RrdHeader): void {
    if (header === undefined || isSame(version, header.version)) return;
    if (this.#warned.size >= MAX_WARNED_VERSIONS) return;
    const text = rrdVersionText(version);
    if (this.#warned.has(text)) return;
    this.#warned.add(text);
    const first = rrdVersionText(header.version);
    this.#log.write(
      "warn",
      `${path} begins with data of Rerun ${first}; data of ${text} goes under the same header, ` +
        "which readers may warn of",
      { path, version: text },
    );
  }
}

function isSame(a: RrdVersion, b: RrdVersion): boolean {
  return a === b ||
    a.major === b.major && a.minor === b.minor && a.patch === b.patch && a.meta === b.meta;
}
