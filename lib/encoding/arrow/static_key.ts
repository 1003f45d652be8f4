import { rerunTag } from "./arrow_ipc.ts";
import type { ArrowMsg } from "../arrow_msg.ts";
import { isStaticChunk, schemaOf } from "./arrow_timepoint.ts";
import { rowSubjects, staticRows } from "../static_rows.ts";

/** Tables with more rows are not looked into, since the key would take too much memory. */
const MAX_ROWS = 1000;
const MAX_KEY = 4096;

/**
 * The key by which newer static data replaces older; `undefined` for data that has a time. A table
 * of SDK 0.16 and before counts as static if one of its rows is.
 */
export function staticKey(msg: ArrowMsg): string | undefined {
  try {
    if (!isOfTables(msg) && !isStaticChunk(msg)) return undefined;
    const { entityPath, fields } = schemaOf(msg);
    if (entityPath !== undefined) {
      if (!isStaticChunk(msg)) return undefined;
      const names = fields.filter(({ metadata }) => rerunTag(metadata, "kind") !== "control")
        .map(({ name }) => name);
      return JSON.stringify([entityPath, ...names.sort()]);
    }
    const ipc = msg.ipc();
    const rows: number[] = [];
    for (const row of staticRows(ipc, fields)) if (rows.push(row) > MAX_ROWS) break;
    if (rows.length === 0 && !isStaticChunk(msg)) return undefined;
    return tableKey(msg, () => rows.length > MAX_ROWS ? [] : rowSubjects(ipc, fields, rows));
  } catch {
    // Damaged data is saved all the same, but not kept as static, which would be a guess.
    return undefined;
  }
}

/** Whether a message may be a table that has rows of several entities, with and without a time. */
export function isOfTables({ encoded }: ArrowMsg): boolean {
  return encoded.header.version.major === 0 &&
    encoded.header.version.minor < 17;
}

/** The key of a table: it replaces only a table with exactly the same subjects. */
function tableKey({ chunkId }: ArrowMsg, subjects: () => readonly string[]): string {
  try {
    const known = subjects();
    const key = `table ${known.join()}`;
    if (known.length > 0 && key.length <= MAX_KEY) return key;
  } catch {
    // Some components have an unknown layout: the table gets a key of its own.
  }
  return `table ${chunkId?.timeNs} ${chunkId?.inc}`;
}
