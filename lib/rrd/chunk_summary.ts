/**
 * What a chunk is about, from its Arrow data.
 *
 * @module
 */
import { type ArrowField, readSchema, rerunTag } from "../encoding/arrow_ipc.ts";
import type { ArrowMsg } from "../encoding/arrow_msg.ts";
import type { Tuid } from "../encoding/tuid.ts";
import { InvalidMessage } from "../errors.ts";

/** One timeline of a chunk. */
export interface ChunkTimeline {
  readonly name: string;
  /** As Arrow calls it, such as `Int64` or `Timestamp[ns]`. */
  readonly type: string;
  readonly min: bigint;
  readonly max: bigint;
}

/** What a chunk is about. */
export interface ChunkSummary {
  readonly rows: number;
  /** From the envelope, else from the Arrow data. */
  readonly chunkId?: Tuid;
  /** Absent for the tables of SDK 0.9 to 0.16, which hold several entities. */
  readonly entityPath?: string;
  readonly timelines: readonly ChunkTimeline[];
  /** Names of the data columns. */
  readonly columns: readonly string[];
}

/**
 * Decodes a chunk's Arrow data, and looks at its columns.
 *
 * @throws {Error} if the data is not a valid Arrow IPC stream
 */
export async function summarize(msg: ArrowMsg): Promise<ChunkSummary> {
  const schema = readSchema(msg.ipc());
  const table = await msg.table();
  const timelines: ChunkTimeline[] = [];
  const columns: string[] = [];
  for (const [i, field] of schema.fields.entries()) {
    const kind = rerunTag(field.metadata, "kind");
    if (kind === "time" || kind === "index") {
      const values = table.getChildAt(i)?.data.map((data: { values: unknown }) => data.values) ??
        [];
      const range = rangeOf(values);
      const name = rerunTag(field.metadata, "index_name") ?? field.name;
      if (range !== undefined) timelines.push({ name, type: field.type, ...range });
    } else if (kind !== "control") columns.push(columnName(field));
  }
  const chunkId = msg.chunkId ?? schema.chunkId;
  return {
    rows: table.numRows,
    ...(chunkId === undefined ? {} : { chunkId }),
    ...(schema.entityPath === undefined ? {} : { entityPath: schema.entityPath }),
    timelines,
    columns,
  };
}

function columnName(field: ArrowField): string {
  return rerunTag(field.metadata, "component") ?? field.name;
}

function rangeOf(parts: readonly unknown[]): { min: bigint; max: bigint } | undefined {
  let min: bigint | undefined;
  let max: bigint | undefined;
  for (const values of parts) {
    if (!(values instanceof BigInt64Array)) {
      throw new InvalidMessage("An index column is not of 64-bit integers");
    }
    for (const value of values) {
      if (min === undefined || value < min) min = value;
      if (max === undefined || value > max) max = value;
    }
  }
  return min === undefined || max === undefined ? undefined : { min, max };
}
