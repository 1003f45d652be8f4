/** Chunks with mutated Arrow schemas through one bridge, which must neither fail nor learn wrong. */
import { assert, assertEquals } from "@std/assert";
import { Bridge } from "../../lib/bridge/mod.ts";
import { readSchema } from "../../lib/encoding/arrow/arrow_ipc.ts";
import type { ArrowMsg } from "../../lib/encoding/arrow_msg.ts";
import { decodeProtobufLogMsg } from "../../lib/encoding/protobuf/protobuf_log_msg.ts";
import { BRIDGED, capturedMessages, chunkOf } from "../bridge/chunks.ts";
import { leastMs } from "../least_ms.ts";
import { caseRandom } from "../random.ts";
import { type Dice, dice } from "./mutations.ts";

/** A case that takes longer hangs, in milliseconds. */
const HANG_MS = 1000;
const HEAD_BYTES = 16;

/** Numbers at which code that counts tends to break. */
const EDGES = [
  0,
  1,
  3,
  4,
  8,
  0xff,
  0xffff,
  1 << 20,
  0x7fffffff,
  0x80000000,
  0xfffffffc,
  0xffffffff,
];

const CHUNKS: readonly ArrowMsg[] = BRIDGED.flatMap(capturedMessages)
  .filter((msg) => msg.kind === "ArrowMsg");

/** What came out of some cases. */
export interface BridgeTally {
  cases: number;
  bridged: number;
  damaged: number;
  slowestMs: number;
}

/** An empty tally. */
export function newBridgeTally(): BridgeTally {
  return { cases: 0, bridged: 0, damaged: 0, slowestMs: 0 };
}

/** What all cases go through, as one client's messages do. */
const shared = new Bridge();
const GOOD = CHUNKS[1]!;
const EXPECTED = bytesOf(new Bridge(), GOOD);

/**
 * Runs one case.
 *
 * @param seed of the run
 * @param index of the case
 * @param tally where the outcome is added
 * @throws {Error} if anything is not as it must be
 */
export function runBridgeCase(seed: number, index: number, tally: BridgeTally): void {
  const random = dice(caseRandom(seed, index));
  const from = random.one(CHUNKS);
  const ipc = mutated(from.ipc(), random);
  const msg = chunkOf(ipc, from.encoded.header.version.minor, from.storeId.id);
  const start = performance.now();
  try {
    // Twice: what is known the second time must be as right.
    for (const bridge of [shared, new Bridge(), shared]) {
      const { bridged } = bridge.counts;
      const out = new Uint8Array(readBack(bytesOf(bridge, msg)));
      if (bridge.counts.bridged > bridged) checkBridged(ipc, out);
      else assertEquals(out, ipc, "data that can't be bridged was changed");
      if (bridge !== shared) tally[bridge.counts.bridged > 0 ? "bridged" : "damaged"]++;
    }
    let ms = performance.now() - start;
    // Another program may have had the processor meanwhile.
    if (ms > HANG_MS) ms = leastMs(() => void readBack(bytesOf(new Bridge(), msg)), HANG_MS);
    if (ms > HANG_MS) throw new Error(`it takes ${ms.toFixed(0)} ms`);
    tally.slowestMs = Math.max(tally.slowestMs, ms);
    if (index % 16 === 0) assertEquals(bytesOf(shared, GOOD), EXPECTED, "a good chunk was harmed");
  } catch (cause) {
    throw new Error(`seed ${seed}, case ${index}: ${(cause as Error).message}`, { cause });
  }
  tally.cases++;
}

function bytesOf(bridge: Bridge, msg: ArrowMsg): Uint8Array {
  return bridge.bridge(msg).encoded.bytes;
}

/** The Arrow data that a reader finds. */
function readBack(bytes: Uint8Array): Uint8Array {
  const encoded = { header: GOOD.encoded.header, bytes };
  const msg = decodeProtobufLogMsg(2, bytes.subarray(HEAD_BYTES), "v1alpha1", encoded);
  if (msg.kind !== "ArrowMsg") throw new Error(`it is a ${msg.kind}`);
  return msg.ipc();
}

/** What images, tensors and enumerations of SDK 0.17 to 0.21 were and are. */
const RECAST = new RegExp(
  "^rerun\\.(?:components\\.(?:TensorData|ImageBuffer|ImageFormat|AggregationPolicy|Colormap" +
    "|MagnificationFilter|MarkerShape)|blueprint\\.components\\.(?:BackgroundKind|ContainerKind" +
    "|Corner2D|PanelState|ViewFit)) ",
);
/** What describes an image. */
const RECAST_BYTES = 4096;

/** The schema says the same of the same columns, and behind it all is as it was. */
function checkBridged(before: Uint8Array, after: Uint8Array): void {
  const [was, is] = [readSchema(before), readSchema(after)];
  const columns = ({ fields }: typeof was) => fields.map(({ name, type }) => `${name} ${type}`);
  const tags = Object.fromEntries(was.metadata);
  assertEquals(Object.fromEntries(is.metadata), { ...tags, "rerun.version": "1" });
  if (columns(is).join() !== columns(was).join()) {
    // Some data is described anew, all else stands as it was.
    const others = (schema: typeof was) => columns(schema).filter((text) => !RECAST.test(text));
    assertEquals(others(is), others(was));
    assert(others(was).length < was.fields.length, "a column was added");
    assert(after.length <= 2 * before.length + RECAST_BYTES, `${after.length} bytes`);
    return;
  }
  assertEquals(behindSchema(after), behindSchema(before), "the record batch was changed");
}

function behindSchema(ipc: Uint8Array): Uint8Array {
  const view = new DataView(ipc.buffer, ipc.byteOffset);
  const marked = view.getUint32(0, true) === 0xffffffff;
  return ipc.subarray(marked ? 8 + view.getUint32(4, true) : 4 + view.getUint32(0, true));
}

/** One to three changes, most of them in the schema. */
function mutated(ipc: Uint8Array, random: Dice): Uint8Array {
  let bytes = ipc.slice();
  const schemaBytes = 8 + new DataView(ipc.buffer, ipc.byteOffset).getUint32(4, true);
  const place = () => random.below(Math.min(schemaBytes, bytes.length));
  for (let n = 1 + random.below(3); n > 0 && bytes.length > 16; n--) {
    const at = place();
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const word = Math.min(at & ~3, bytes.length - 4);
    switch (random.below(7)) {
      case 0:
        bytes[at]! ^= 1 << random.below(8);
        break;
      case 1:
        bytes[at] = random.below(256);
        break;
      case 2:
        view.setUint32(word, random.one(EDGES), true);
        break;
      case 3: // an offset that leads elsewhere in the schema
        view.setUint32(word, random.below(schemaBytes), true);
        break;
      case 4: { // a piece of it over another
        const from = place();
        bytes.copyWithin(at, from, from + random.below(64));
        break;
      }
      case 5: { // a text like another
        const letter = 0x20 + random.below(96);
        bytes.fill(letter, at, at + random.below(4));
        break;
      }
      default:
        if (random.random() < 0.1) bytes = bytes.slice(0, random.below(bytes.length));
    }
  }
  return bytes;
}
