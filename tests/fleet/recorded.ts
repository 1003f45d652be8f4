/** What stands in the files of a box or of a middle: for each recording its messages, in order. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";

/** What is said of a recording itself: the bridge adds when it began, which old SDKs don't log. */
const PROPERTIES = /^\/__properties(\/|$)/;

/** Ids of messages that carry what was logged, by recording; files in the order of their numbers. */
export function recorded(folder: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let names: string[] = [];
  try {
    names = readdirSync(folder).filter((name) => /\.rrd(\.part)?$/.test(name)).sort();
  } catch {
    return found; // nothing was saved yet
  }
  for (const name of names) {
    const decoder = new RrdDecoder();
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(join(folder, name));
    } catch {
      continue; // it has got its name just now
    }
    for (const msg of decoder.push(bytes).items) {
      if (msg.kind !== "ArrowMsg" || PROPERTIES.test(msg.entityPath ?? "")) continue;
      const ids = found.get(msg.storeId.id) ?? [];
      ids.push(`${msg.chunkId}`);
      found.set(msg.storeId.id, ids);
    }
  }
  return found;
}

/** What is wrong in a copy: left out, twice, in another order; nothing where it is the same. */
export function difference(
  original: ReadonlyMap<string, readonly string[]>,
  copy: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  for (const recording of new Set([...original.keys(), ...copy.keys()])) {
    const ids = original.get(recording) ?? [];
    const copied = copy.get(recording) ?? [];
    const twice = copied.length - new Set(copied).size;
    if (twice > 0) return `${recording}: ${twice} messages are there twice`;
    const there = new Set(copied);
    const missing = ids.filter((id) => !there.has(id));
    if (missing.length > 0) return `${recording}: ${missing.length} of ${ids.length} are missing`;
    const known = new Set(ids);
    const more = copied.filter((id) => !known.has(id));
    if (more.length > 0) return `${recording}: ${more.length} are there that the box has not`;
    if (copied.join() !== ids.join()) return `${recording}: in another order`;
  }
  return undefined;
}
