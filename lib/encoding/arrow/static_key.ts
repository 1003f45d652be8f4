import { rerunTag } from "./arrow_ipc.ts";
import type { ArrowMsg } from "../arrow_msg.ts";
import { isStaticChunk, schemaOf } from "./arrow_timepoint.ts";

/** What newer static data replaces; `undefined` for data that has a time. */
export function staticKey(msg: ArrowMsg): string | undefined {
  try {
    if (!isStaticChunk(msg)) return undefined;
    const { entityPath, fields } = schemaOf(msg);
    if (entityPath !== undefined) {
      const names = fields.filter(({ metadata }) => rerunTag(metadata, "kind") !== "control")
        .map(({ name }) => name);
      return JSON.stringify([entityPath, ...names.sort()]);
    }
  } catch {
    // What can't be read is written all the same; to keep it as static would only guess.
    return undefined;
  }
  // Tables of SDK 0.16 and before hold several entities: none replaces another.
  return `table ${msg.chunkId?.timeNs} ${msg.chunkId?.inc}`;
}
