/** Damaged files, and what `rrd verify` and `rrd merge` must say of them. */
import { Buffer } from "node:buffer";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RrdMessage } from "../../lib/recordings/mod.ts";
import { RrdConcat } from "../../lib/encoding/rrd/rrd_concat.ts";
import { rrd } from "../../lib/cli/rrd/rrd.ts";
import type { CliProcess } from "../../lib/cli/process.ts";
import { concat } from "../encoding/rrd_builder.ts";
import { capturePackets, CAPTURES, fixture } from "../fixtures.ts";
import { caseRandom } from "../random.ts";
import { scan } from "../recordings/inputs.ts";
import { type Dice, dice } from "./mutations.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A file that `rrd verify --strict` passes, and what is in it. */
export interface GoodFile {
  readonly name: string;
  readonly bytes: Bytes;
  readonly messages: readonly RrdMessage[];
  /** Whether it ends with an end marker: Rerun before 0.19 wrote none. */
  readonly isEnded: boolean;
}

/** What a command did. */
export interface Ran {
  readonly code: number;
  readonly text: string;
}

/** Runs `rrd` with these arguments. */
export type RunRrd = (args: string[]) => Promise<Ran>;

/** What came of cases. */
export interface VerifyTally {
  cases: number;
  refused: number;
  /** All messages as they were: what was damaged was data, or nothing that matters. */
  unchanged: number;
  merged: number;
  /** Damages that leave a file as good as any, such as a message taken out from end to end. */
  seamless: number;
}

/** Nothing yet. */
export function newVerifyTally(): VerifyTally {
  return { cases: 0, refused: 0, unchanged: 0, merged: 0, seamless: 0 };
}

const FIXTURES = [
  ...["msgpack-off", "msgpack-lz4", "protobuf-off", "protobuf-lz4"].map((name) =>
    `encodings/0.22.1-mixed-${name}`
  ),
  "grpc/0.41.0-mixed.readback",
  "grpc/0.41.0-three-stores.merged-by-rerun",
  "viewers/0.22.1-mixed.readback",
  "viewers/0.22.1-blueprint.readback",
];

/** Files of all encodings: as Rerun closed them, as we save captures, and several in a row. */
export const GOOD_FILES: readonly GoodFile[] = [
  ...FIXTURES.map((name) => goodFile(name, fixture(`${name}.rrd`))),
  ...CAPTURES.map((name) => goodFile(`saved ${name}`, saved(concat(...capturePackets(name))))),
  goodFile("in a row", concat(...[4, 1, 2, 5].map((i) => fixture(`${FIXTURES[i]}.rrd`)))),
];

function goodFile(name: string, bytes: Bytes): GoodFile {
  const { parts, error } = scan([bytes], { checkInside: true });
  if (error !== undefined) throw error;
  return {
    name,
    bytes,
    messages: parts.filter((part) => part.kind === "message"),
    isEnded: parts.at(-1)?.kind === "end",
  };
}

/** A capture's messages as a file that was closed. */
function saved(capture: Bytes): Bytes {
  const file = new RrdConcat();
  const pieces = scan([capture]).parts.flatMap((part) =>
    part.kind === "message" ? file.message(part.msg.encoded) : []
  );
  return concat(...pieces, ...file.end());
}

/** The damaged file of a case, and how it was damaged. */
export function damagedOf(seed: number, index: number): { bytes: Bytes; how: string } {
  return damaged(goodOf(index), dice(caseRandom(seed, index)));
}

function goodOf(index: number): GoodFile {
  return GOOD_FILES[index % GOOD_FILES.length]!;
}

/**
 * Damages a file, and looks whether `verify --strict` and `merge` say so.
 *
 * @param seed of the run
 * @param index of the case; files take turns
 * @param tally is added to
 * @param folder where files may be written
 * @param run runs a command, in this process or in one of its own
 * @throws {Error} if a command ends well though a message is missing
 */
export async function runVerifyCase(
  seed: number,
  index: number,
  tally: VerifyTally,
  folder: string,
  run: RunRrd = runHere,
): Promise<void> {
  const good = goodOf(index);
  const { bytes, how } = damagedOf(seed, index);
  const [input, output] = [join(folder, "in.rrd"), join(folder, "out.rrd")];
  writeFileSync(input, bytes);
  const fail = (what: string): never => {
    throw new Error(`seed ${seed}, case ${index}, ${good.name}, ${how}: ${what}`);
  };
  const found = messagesIn(bytes, true);
  const verified = await run(["verify", "--strict", input]);
  if (verified.code === 1) tally.refused++;
  else if (verified.code !== 0) fail(`verify ended with ${verified.code}: ${verified.text}`);
  else if (isSame(messagesIn(bytes, false), good.messages)) tally.unchanged++;
  else if (isSeamless(bytes, good)) tally.seamless++;
  else fail(`verify: ${verified.text}`);

  rmSync(output, { force: true });
  const merged = await run(["merge", input, "-o", output]);
  if (merged.code === 1 && existsSync(output)) fail("merge failed and left a file");
  if (merged.code === 0) {
    tally.merged++;
    const file = Buffer.from(read(output));
    // Messages of blueprints come once where they are the same; a foreign message inside the data of
    // another, where a block of another file was written over it, is kept with that.
    const isLost = ({ offset, bytes: length }: RrdMessage) =>
      !file.includes(Buffer.from(bytes.subarray(offset + 8, offset + length)));
    const lost = found.find(isLost);
    if (lost !== undefined) fail(`merge lost the message at ${lost.offset}`);
  } else if (merged.code !== 1) fail(`merge ended with ${merged.code}: ${merged.text}`);
  tally.cases++;
}

function messagesIn(bytes: Bytes, recover: boolean): RrdMessage[] {
  return scan([bytes], { recover }).parts.filter((part) => part.kind === "message");
}

/** Number, place, kind and length. */
function isSame(found: readonly RrdMessage[], original: readonly RrdMessage[]): boolean {
  return found.length === original.length && found.every(({ offset, bytes, msg }, i) => {
    const other = original[i]!;
    return offset === other.offset && bytes === other.bytes && msg.kind === other.msg.kind;
  });
}

/**
 * Whether the damage left a file that nothing can tell from a good one, as RRD has no checksums: it is
 * cut between messages where no end marker was to come, or messages that are as long as what was taken
 * out or doubled take its place.
 */
function isSeamless(bytes: Bytes, { messages, bytes: original, isEnded }: GoodFile): boolean {
  if (bytes.length === original.length) return false;
  const found = messagesIn(bytes, false);
  if (!isEnded && isSame(found, messages.slice(0, found.length))) return true;
  const isAlike = (a: RrdMessage | undefined, b: RrdMessage | undefined) =>
    a?.bytes === b?.bytes && a?.msg.kind === b?.msg.kind;
  const least = Math.min(found.length, messages.length);
  let [before, behind] = [0, 0];
  while (before < least && isAlike(found[before], messages[before])) before++;
  while (behind < least && isAlike(found.at(-1 - behind), messages.at(-1 - behind))) behind++;
  return before + behind >= found.length;
}

function read(path: string): Bytes {
  return new Uint8Array(readFileSync(path));
}

/** Runs a command in this process. */
export async function runHere(args: string[]): Promise<Ran> {
  let text = "";
  const write = (more: string) => void (text += more);
  const process = {
    args: ["rrd", ...args],
    env: () => undefined,
    isTerminal: false,
    isOutputTerminal: false,
    columns: () => 80,
    stdout: write,
    stderr: write,
    onStopSignal() {},
  } as unknown as CliProcess;
  return { code: await rrd(args, process), text };
}

type Damage = (bytes: Bytes, dice: Dice, file: GoodFile) => Bytes;

/** Where something begins, or anywhere. */
function place(bytes: Bytes, { one, below, random }: Dice, { messages }: GoodFile): number {
  if (random() < 0.5) return below(bytes.length);
  const { offset, bytes: length } = one(messages);
  return Math.min(bytes.length - 1, one([offset, offset + 8, offset + length, offset + below(24)]));
}

function stretch(bytes: Bytes, dice: Dice, file: GoodFile): [number, number] {
  const from = place(bytes, dice, file);
  const length = dice.one([1 + dice.below(16), 1 + dice.below(5000), 4096, 65_536]);
  return [from, Math.min(bytes.length, from + length)];
}

/** What disks, copies and editors do to files, each a pure function of its random numbers. */
const DAMAGES: Readonly<Record<string, Damage>> = {
  flip(bytes, dice, file) {
    for (let n = 1 + dice.below(4); n > 0; n--) {
      bytes[place(bytes, dice, file)]! ^= 1 << dice.below(8);
    }
    return bytes;
  },
  flipHeader(bytes, { below }) {
    bytes[below(12)]! ^= 1 << below(8);
    return bytes;
  },
  fill(bytes, dice, file) {
    const [from, to] = stretch(bytes, dice, file);
    return bytes.fill(dice.one([0, 0, 0, 255, 0x52]), from, to);
  },
  zeroBlocks(bytes, { below }) {
    const from = below(Math.ceil(bytes.length / 4096)) * 4096;
    return bytes.fill(0, from, from + 4096 * (1 + below(16)));
  },
  zeroTail: (bytes, dice, file) => bytes.fill(0, place(bytes, dice, file)),
  cut: (bytes, dice, file) => bytes.slice(0, place(bytes, dice, file)),
  cutAtMessage(bytes, { one }, { messages }) {
    return bytes.slice(0, one(messages).offset);
  },
  takeOut(bytes, dice, file) {
    const [from, to] = stretch(bytes, dice, file);
    return concat(bytes.subarray(0, from), bytes.subarray(to));
  },
  double(bytes, dice, file) {
    const [from, to] = stretch(bytes, dice, file);
    return concat(bytes.subarray(0, to), bytes.subarray(from));
  },
  swapBlocks(bytes, { below }) {
    const blocks = Math.ceil(bytes.length / 4096);
    const [a, b] = [below(blocks) * 4096, below(blocks) * 4096];
    const block = bytes.slice(a, a + 4096);
    bytes.copyWithin(a, b, b + 4096);
    bytes.set(block.subarray(0, bytes.length - b), b);
    return bytes;
  },
  otherFile(bytes, dice, file) {
    const [from, to] = stretch(bytes, dice, file);
    const other = dice.one(GOOD_FILES).bytes;
    const at = dice.below(other.length);
    bytes.set(other.subarray(at, at + to - from), from);
    return bytes;
  },
  append(bytes, dice) {
    const { bytes: other } = dice.one(GOOD_FILES);
    const junk = dice.one([
      new Uint8Array(1 + dice.below(40)),
      new Uint8Array(4096),
      Uint8Array.from({ length: 1 + dice.below(8) }, () => dice.below(256)),
      other.slice(12, 12 + dice.below(2000)),
    ]);
    return concat(bytes, junk);
  },
  endMarker(bytes, { one }, { messages }) {
    const { offset, header } = one(messages);
    const marker = new Uint8Array(header.serializer === "protobuf" ? 16 : 8);
    return concat(bytes.subarray(0, offset), marker, bytes.subarray(offset));
  },
  /** The length of a message as if the next ones were in it, or not all of it. */
  drawIn(bytes, { one, below }, { messages }) {
    const first = below(messages.length);
    const { offset, header } = messages[first]!;
    const last = messages[Math.min(messages.length - 1, first + 1 + below(3))]!;
    const size = header.serializer === "protobuf" ? 16 : 8;
    const length = one([
      last.offset + last.bytes - offset - size,
      last.offset - offset - size,
      messages[first]!.bytes - size + one([-2, -1, 1, 2, 8, 16]),
    ]);
    const view = new DataView(bytes.buffer);
    if (header.serializer === "protobuf") view.setBigUint64(offset + 8, BigInt(length), true);
    else for (const at of one([[0], [4], [0, 4]])) view.setUint32(offset + at, length, true);
    return bytes;
  },
  /** Another kind: the number of protobuf messages. */
  otherKind(bytes, { one, below }, { messages }) {
    bytes[one(messages).offset] = below(5);
    return bytes;
  },
};

/** Damages a file, in one way mostly. */
function damaged(file: GoodFile, choices: Dice): { bytes: Bytes; how: string } {
  let bytes = file.bytes.slice();
  const names = [];
  for (let n = choices.one([1, 1, 1, 2]); n > 0 && bytes.length > 0; n--) {
    const name = choices.one(Object.keys(DAMAGES));
    // Places of messages hold for a file that is as long as it was.
    if (bytes.length !== file.bytes.length) break;
    names.push(name);
    bytes = DAMAGES[name]!(bytes, choices, file);
  }
  return { bytes, how: names.join(", ") };
}
