/** Ways of reading the data of a message; each gives something that depends on what was read. */
import { chunk } from "../../lib/encoding/mod.ts";
import type { ArrowMsg } from "../../lib/encoding/arrow_msg.ts";

function seen(value: unknown): number {
  if (value === undefined) return 0;
  const first = (value as ArrayLike<unknown>)[0];
  return typeof first === "number" ? first : (value as ArrayLike<unknown>).length;
}

/** The first component of the first row. */
export function readOneColumn(msg: ArrowMsg): number {
  const one = chunk(msg);
  return seen(one.components[0]?.at(0)) + one.rowCount;
}

/** Ids, times on all timelines, and all components of all rows. */
export function readAllColumns(msg: ArrowMsg): number {
  const { rowCount, rowIds, timelines, components } = chunk(msg);
  let sum = rowIds.length;
  for (const { times } of timelines) sum += Number(times[0]);
  for (const each of components) {
    for (let row = 0; row < rowCount; row++) sum += seen(each.at(row));
  }
  return sum;
}
