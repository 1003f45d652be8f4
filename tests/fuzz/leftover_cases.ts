/** Damaged leftovers, and what a server that starts over them, and `rrd recover`, must make of them. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type MemoryFiles, memoryFiles } from "../../lib/adapters/files/memory_files.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { encodeLine } from "../../lib/sinks/file/parts/_index_line.ts";
import { FileHash } from "../../lib/sinks/file/parts/_file_hash.ts";
import { rrdFileSink } from "../../lib/sinks/file/rrd_file.ts";
import { caseRandom } from "../random.ts";
import { scan } from "../recordings/inputs.ts";
import { damage, ORIGINALS } from "./recover_cases.ts";
import { runHere, type RunRrd } from "./verify_cases.ts";

/** A leftover of the case's recording. */
export interface Leftover {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What came of cases. */
export interface LeftoverTally {
  cases: number;
  messages: number;
  /** Nothing whole was in them. */
  empty: number;
  /** What is whole was written anew. */
  copied: number;
}

/** Nothing yet. */
export function newLeftoverTally(): LeftoverTally {
  return { cases: 0, messages: 0, empty: 0, copied: 0 };
}

/** The leftover of a case. */
export function leftoverOf(seed: number, index: number): Leftover {
  const { name, bytes } = ORIGINALS[index % ORIGINALS.length]!;
  return { name, bytes: damage(bytes, caseRandom(seed, index)).bytes };
}

/** The line by which the index says that a file is ours. */
export function indexLine(name: string): Uint8Array {
  return encodeLine({
    ...{ kind: "file", id: `id of ${name}`, name, state: "writing" },
    ...{ bytes: 0, hasData: false, footer: "none", forwarded: 0 },
  });
}

/** What the messages say that are whole, whatever their encoding. */
export function contents(bytes: Uint8Array): string[] {
  return scan([bytes], { recover: true }).parts.flatMap((part) =>
    part.kind === "message" ? [contentOf(part.msg)] : []
  );
}

function contentOf(msg: LogMsg): string {
  const text = (value: unknown) =>
    JSON.stringify(value, (_, value) => typeof value === "bigint" ? `${value}` : value);
  // Its version stands in the header, and a file has one header.
  if (msg.kind === "SetStoreInfo") return text({ ...msg.info, storeVersion: undefined });
  if (msg.kind !== "ArrowMsg") return msg.kind;
  const hash = new FileHash();
  hash.update(msg.ipc());
  return `${text(msg.storeId)} ${msg.chunkId} ${hash.text}`;
}

/**
 * Looks at what a server made of a leftover.
 *
 * @param leftover as it was
 * @param recovered the file that it became
 * @param original what was kept beside it
 * @throws {Error} if a message is lost or made up
 */
export function checkLeftover(
  { name, bytes }: Leftover,
  recovered: Uint8Array | undefined,
  original: Uint8Array | undefined,
  tally: LeftoverTally,
): void {
  const whole = contents(bytes);
  const found = recovered === undefined ? [] : contents(recovered);
  if (whole.join("\n") !== found.join("\n")) {
    const lost = whole.find((text) => !found.includes(text));
    throw new Error(`${name}: ${found.length} of ${whole.length} messages; lost is ${lost}`);
  }
  const isCut = recovered !== undefined && isCutOf(recovered, bytes, whole);
  // A torn end, without a whole message in it, may have been cut before the damage was seen.
  const isKept = original !== undefined && isBeginning(original, bytes) &&
    contents(original).join("\n") === whole.join("\n");
  if (recovered !== undefined && !isCut && !isKept) {
    throw new Error(`${name}: the original of what was written anew is gone, or another`);
  }
  tally.cases++;
  tally.messages += whole.length;
  if (whole.length === 0) tally.empty++;
  if (original !== undefined) tally.copied++;
}

/** Whether a file is the beginning of the original with all of its messages, and no more than an index behind. */
function isCutOf(file: Uint8Array, original: Uint8Array, whole: readonly string[]): boolean {
  if (isBeginning(file, original)) return true;
  const same = file.findIndex((byte, i) => byte !== original[i]);
  return contents(file.subarray(0, same)).join("\n") === whole.join("\n");
}

function isBeginning(part: Uint8Array, whole: Uint8Array): boolean {
  return part.length <= whole.length && isSame(part, whole.subarray(0, part.length));
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Starts a server's saving over the leftover of a case. */
export async function runLeftoverCase(
  seed: number,
  index: number,
  tally: LeftoverTally,
): Promise<void> {
  const leftover = leftoverOf(seed, index);
  const files: MemoryFiles = memoryFiles();
  const put = async (path: string, bytes: Uint8Array) => {
    await (await files.create(path, "new")).write(bytes);
  };
  await put("a.rrd.part", leftover.bytes);
  await put("a.rrd.index.jsonl", indexLine("a.rrd"));
  const sink = await rrdFileSink({ path: "a.rrd", files });
  await sink.recovered;
  await sink.close();
  try {
    checkLeftover(leftover, files.read("a.2.rrd"), files.read("a.2.rrd.damaged"), tally);
    const left = files.paths.filter((path) => /\.(part|new)$/.test(path));
    if (left.length > 0) throw new Error(`${leftover.name}: ${left} stayed`);
  } catch (error) {
    throw new Error(`seed ${seed}, case ${index}, ${(error as Error).message}`);
  }
}

/** Gives the damaged file of a case to `rrd recover`. */
export async function runRecoverCommand(
  seed: number,
  index: number,
  folder: string,
  run: RunRrd = runHere,
): Promise<void> {
  const { name, bytes } = leftoverOf(seed, index);
  const [input, output] = [join(folder, "in.rrd"), join(folder, "out.rrd")];
  rmSync(output, { force: true });
  writeFileSync(input, bytes);
  const { code, text } = await run(["recover", input, "-o", output]);
  const whole = contents(bytes);
  const found = code === 0 ? contents(new Uint8Array(readFileSync(output))) : [];
  if (code === (whole.length === 0 ? 1 : 0) && whole.join("\n") === found.join("\n")) return;
  const what = `ended with ${code}, ${found.length} of ${whole.length} messages: ${text}`;
  throw new Error(`seed ${seed}, case ${index}, ${name}: ${what}`);
}
