/**
 * What the log says of a file that has no chunk index, and what can be done about it.
 *
 * @module
 */
import type { Log, LogLevel } from "../../../base/log.ts";
import type { NotIndexable } from "../../../chunk_index/not_indexable.ts";

/** Why there is none. */
export interface NoIndex {
  readonly why: string;
  /** As in {@linkcode NotIndexable}; `undefined` if the next start tries again. */
  readonly about: NotIndexable["about"] | undefined;
}

/**
 * Logs that a file has no chunk index.
 *
 * @param log where it is told
 * @param path of the file
 * @param reason why there is none
 */
export function tellNoIndex(log: Log, path: string, { why, about }: NoIndex): void {
  const text = `${path} has no chunk index: ${why}`;
  const [level, mends] = ((): [LogLevel, string] => {
    switch (about) {
      case "form":
        return ["debug", ""];
      // The reasons of these two say what helps.
      case "ids":
        return ["info", ""];
      case "size":
        return ["warn", ""];
      case "chunks":
        return ["warn", `; rrd recover ${path} -o ${wholeOf(path)} writes what is whole, with one`];
      case undefined:
        return ["warn", `; the next start tries again, and rrd index ${path} does now`];
    }
  })();
  log.write(level, text + mends, { path, kind: "no chunk index" });
}

function wholeOf(path: string): string {
  return path.replace(/(\.rrd)?$/, ".whole.rrd");
}
