/**
 * Ids of activations: chunks have ids by which they are known again, and activations have none, though
 * the same one may be sent several times, each to have an effect.
 *
 * @module
 */
import { xxh32 } from "../rrd/xxh32.ts";
import type { BlueprintActivationCommand } from "../log_msg.ts";
import { Tuid } from "../tuid.ts";
import { fileLimits, NO_LIMITS } from "../limits.ts";
import { bytes, ProtobufBudget, readMessage } from "./protobuf.ts";
import { dialectOf, writeHead } from "./encode_log_msg.ts";

/** Before a message in `.rrd`, in bytes. */
const HEAD_BYTES = 16;
/** The kind of an activation. */
const ACTIVATION = 3;
/** The field of the id: Rerun has no field of such a number, and passes over those it does not know. */
const FIELD = 20_000;
/** The field's tag, the length of the id, and the tags of its two halves. */
const TAG = [(FIELD << 3 | 2) & 0x7f | 0x80, FIELD >> 4 & 0x7f | 0x80, FIELD >> 11];
const [HIGH, LOW] = [1 << 3 | 1, 2 << 3 | 1];
const ID_BYTES = 18;
/** The message was decoded before, by the limits of whoever took it. */
const UNBOUNDED = fileLimits(NO_LIMITS);

/**
 * The id that was added to an activation; `undefined` if it has none. Anybody may have put something else
 * into that field, which decoding has passed over: that is no id.
 */
export function activationId({ encoded }: BlueprintActivationCommand): Tuid | undefined {
  if (dialectOf(encoded.header) === undefined) return undefined;
  let id: Tuid | undefined;
  const fields = { [FIELD]: bytes((value) => id = readId(value) ?? id) };
  const message = encoded.bytes.subarray(HEAD_BYTES);
  readMessage(message, "BlueprintActivationCommand", fields, new ProtobufBudget(UNBOUNDED));
  return id;
}

function readId(value: Uint8Array): Tuid | undefined {
  if (value.length !== ID_BYTES || value[0] !== HIGH || value[9] !== LOW) return undefined;
  const view = new DataView(value.buffer, value.byteOffset);
  return new Tuid(view.getBigUint64(1, true), view.getBigUint64(10, true));
}

/**
 * Makes the id of an activation that has none: the same whenever it is sent from that place.
 *
 * @param file the random id of the file that it stands in
 * @param number its number there
 */
export function newActivationId(file: string, number: number): Tuid {
  const text = new TextEncoder().encode(`${file} ${number}`);
  const [a, b, c, d] = [0, 1, 2, 3].map((seed) => BigInt(xxh32(text, seed)));
  return new Tuid(a! << 32n | b!, c! << 32n | d!);
}

/**
 * Adds an id at the end of an activation.
 *
 * @param msg an activation
 * @param id which it gets if it has none
 * @returns the same message if it has an id, or is in a form without such fields, that of SDK 0.21 and
 * before
 */
export function withActivationId(
  msg: BlueprintActivationCommand,
  id: Tuid,
): BlueprintActivationCommand {
  const { header, bytes } = msg.encoded;
  if (dialectOf(header) === undefined || activationId(msg) !== undefined) return msg;
  const longer = new Uint8Array(bytes.length + TAG.length + 1 + ID_BYTES);
  longer.set(bytes);
  writeHead(longer, 0, ACTIVATION, longer.length - HEAD_BYTES);
  longer.set([...TAG, ID_BYTES], bytes.length);
  const view = new DataView(longer.buffer, longer.length - ID_BYTES);
  view.setUint8(0, HIGH);
  view.setBigUint64(1, id.timeNs, true);
  view.setUint8(9, LOW);
  view.setBigUint64(10, id.inc, true);
  return { ...msg, encoded: { header, bytes: longer } };
}
