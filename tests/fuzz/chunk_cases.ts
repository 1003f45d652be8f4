/** Messages with mutated Arrow data through `chunks()`, every column read: listed errors only. */
import { assertEquals } from "@std/assert";
import { chunks, imageOf, InvalidMessage } from "../../lib/encoding/mod.ts";
import { findMetadata } from "../../lib/encoding/arrow/_ipc_message.ts";
import { ArrowMsg } from "../../lib/encoding/arrow_msg.ts";
import { ALL, arrowOf, KINDS, recorded, SAVED } from "../encoding/chunks/recorded.ts";
import { leastMs } from "../least_ms.ts";
import { caseRandom } from "../random.ts";
import { type Dice, dice } from "./mutations.ts";

/** A case that takes longer hangs, in milliseconds. */
const HANG_MS = 1000;
/** Of one case, in bytes: what it makes is gone with it. */
const LARGEST = 16 * 1024;

const EDGES = [0, 1, 7, 8, 0xff, 0x7fff, 1 << 20, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff];

const CHUNKS: readonly ArrowMsg[] = [
  ...ALL.flatMap((name) => arrowOf(recorded(name))),
  ...SAVED.flatMap(([, messages]) => messages),
  ...[...KINDS.values()].flatMap(arrowOf),
].filter((msg) => msg.ipc().length <= LARGEST);
const GOOD = CHUNKS.filter((_, i) => i % 16 === 0);
const EXPECTED = GOOD.map(readAll);

/** What came out of some cases. */
export interface ChunkTally {
  cases: number;
  read: number;
  refused: number;
  slowestMs: number;
}

/** An empty tally. */
export function newChunkTally(): ChunkTally {
  return { cases: 0, read: 0, refused: 0, slowestMs: 0 };
}

/**
 * Runs one case.
 *
 * @param seed of the run
 * @param index of the case
 * @param tally where the outcome is added
 * @throws {Error} if anything is not as it must be
 */
export function runChunkCase(seed: number, index: number, tally: ChunkTally): void {
  const random = dice(caseRandom(seed, index));
  const from = random.one(CHUNKS);
  const msg = withIpc(from, mutated(from.ipc(), random));
  const start = performance.now();
  try {
    // Twice: what is known the second time must be as right.
    const [first, second] = [outcome(msg), outcome(msg)];
    assertEquals(second, first, "a second look sees something else");
    tally[first.startsWith("refused") ? "refused" : "read"]++;
    let ms = performance.now() - start;
    // Another program may have had the processor meanwhile.
    if (ms > HANG_MS) ms = leastMs(() => void outcome(msg), HANG_MS);
    if (ms > HANG_MS) throw new Error(`it takes ${ms.toFixed(0)} ms`);
    tally.slowestMs = Math.max(tally.slowestMs, ms);
    const good = index % GOOD.length;
    if (index % 16 === 0) {
      assertEquals(readAll(GOOD[good]!), EXPECTED[good], "a good chunk was harmed");
    }
  } catch (cause) {
    throw new Error(`seed ${seed}, case ${index}: ${(cause as Error).message}`, { cause });
  }
  tally.cases++;
}

/** A digest of all that is read, or why it is not. */
function outcome(msg: ArrowMsg): string {
  try {
    return readAll(msg);
  } catch (error) {
    if (error instanceof InvalidMessage) return `refused: ${error.message}`;
    throw error;
  }
}

/** Reads every column of every row. */
function readAll(msg: ArrowMsg): string {
  let digest = `${msg.entityPath}`;
  for (const one of chunks(msg)) {
    const { entityPath, rowCount, rowIds, timelines, archetypes, components } = one;
    digest += ` ${entityPath} ${rowCount} ${rowIds.at(-1)} ${archetypes}`;
    for (let row = 0; row < rowCount; row++) digest += ` ${imageOf(one, row)?.format}`;
    for (const { name, type, times, validity } of timelines) {
      digest += ` ${name} ${type} ${times.at(-1)} ${validity?.at(-1)}`;
    }
    for (const each of components) {
      digest += ` ${each.name}`;
      for (let row = 0; row < rowCount; row++) digest += seen(each.at(row));
      const { values, offsets } = each.column;
      digest += ` ${values?.length} ${values?.at(-1)} ${offsets?.at(-1)}`;
    }
  }
  return digest;
}

function seen(value: unknown): string {
  if (typeof value !== "object" || value === null) return `${value};`;
  if (ArrayBuffer.isView(value)) return `${value.byteLength};`;
  return `${Object.values(value).length};`;
}

/** The message with other Arrow data. */
function withIpc({ storeId, chunkId, timepointMax, encoded }: ArrowMsg, ipc: Uint8Array): ArrowMsg {
  const arrow = { bytes: ipc, compression: "off", uncompressedSize: ipc.length } as const;
  return new ArrowMsg(storeId, chunkId, timepointMax, undefined, arrow, encoded);
}

/** Some bytes changed: of the schema, of what describes the data, or of the data. */
function mutated(good: Uint8Array, random: Dice): Uint8Array {
  const ipc = good.slice();
  const schema = findMetadata(ipc, 0);
  const batch = findMetadata(ipc, schema.end);
  const view = new DataView(ipc.buffer);
  for (let change = 0; change <= random.below(3); change++) {
    const { start, end } = random.one([schema, batch, batch, {
      start: batch.end,
      end: ipc.length,
    }]);
    if (end - start < 8) continue;
    const at = start + random.below(end - start - 4);
    switch (random.below(4)) {
      case 0:
        ipc[at]! ^= 1 << random.below(8);
        break;
      case 1:
        view.setUint32(at - at % 4, random.one(EDGES), true);
        break;
      case 2:
        ipc[at] = random.below(64);
        break;
      case 3:
        ipc.copyWithin(at, start + random.below(end - start), end);
    }
  }
  return random.below(16) === 0 ? ipc.subarray(0, random.below(ipc.length)) : ipc;
}
