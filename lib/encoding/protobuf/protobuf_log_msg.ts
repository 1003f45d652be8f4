/**
 * Log messages in protobuf: v0 of SDK 0.22, and v1alpha1 of SDK 0.23 and later.
 *
 * @module
 */
import { InvalidMessage, MessageTooLarge } from "../../base/errors.ts";
import type { BlueprintActivationCommand, LogMsg, SetStoreInfo } from "../log_msg.ts";
import type { Encoded, StoreId } from "../message_parts.ts";
import { ArrowMsg } from "../arrow_msg.ts";
import { DECODE_LIMITS, type DecodeLimits } from "../limits.ts";
import { checkLz4Ratio } from "../lz4/lz4.ts";
import { bytes, type Field, ProtobufBudget, readMessage, uint } from "./protobuf.ts";
import { readStoreId, readStoreInfo, readTuid } from "./protobuf_store_info.ts";
import type { ProtobufDialect } from "./protobuf_store_info.ts";

/** Numbers that differ between the two definitions. */
const DIALECTS = {
  v0: { payload: 1000, compressions: ["off", "lz4"] },
  v1alpha1: { payload: 5, compressions: [undefined, "off", "lz4"] },
} as const;

/**
 * Decodes one log message.
 *
 * @param kind 1 SetStoreInfo, 2 ArrowMsg, 3 BlueprintActivationCommand; others are carried through
 * @param message the protobuf message of that kind, without any framing
 * @param dialect which definitions the message follows
 * @param encoded the message as it came, for the result
 * @param limits of the envelope, and of what Arrow data may declare to inflate to
 * @throws {InvalidMessage} if the bytes are not such a message
 * @throws {MessageTooLarge} if the Arrow data would inflate to more than the limit
 */
export function decodeProtobufLogMsg(
  kind: number,
  message: Uint8Array,
  dialect: ProtobufDialect,
  encoded: Encoded,
  limits: Required<DecodeLimits> = DECODE_LIMITS,
): LogMsg {
  const budget = new ProtobufBudget(limits);
  switch (kind) {
    case 1:
      return readSetStoreInfo(message, dialect, encoded, budget);
    case 2:
      return readArrowMsg(message, dialect, encoded, budget);
    case 3:
      return readBlueprintActivation(message, dialect, encoded, budget);
    default:
      return { kind: "UnknownMsg", name: String(kind), encoded };
  }
}

function readSetStoreInfo(
  message: Uint8Array,
  dialect: ProtobufDialect,
  encoded: Encoded,
  budget: ProtobufBudget,
): SetStoreInfo {
  let rowId: SetStoreInfo["rowId"] | undefined;
  let info: SetStoreInfo["info"] | undefined;
  readMessage(message, "SetStoreInfo", {
    1: bytes((value) => rowId = readTuid(value, budget)),
    2: bytes((value) => info = readStoreInfo(value, dialect, budget)),
  }, budget);
  if (rowId === undefined) throw missing("SetStoreInfo", "row_id");
  if (info === undefined) throw missing("SetStoreInfo", "info");
  return { kind: "SetStoreInfo", rowId, info, encoded };
}

function readArrowMsg(
  message: Uint8Array,
  dialect: ProtobufDialect,
  encoded: Encoded,
  budget: ProtobufBudget,
): ArrowMsg {
  const { payload, compressions } = DIALECTS[dialect];
  let storeId: StoreId | undefined;
  let chunkId: ArrowMsg["chunkId"];
  let isStatic: boolean | undefined;
  let compression = 0;
  let declared = 0;
  let encoding = 0;
  let data: Uint8Array = new Uint8Array(0);
  const newer: Record<number, Field> = dialect === "v0" ? {} : {
    6: bytes((value) => chunkId = readTuid(value, budget)),
    7: uint((value) => isStatic = value !== 0n),
  };
  readMessage(message, "ArrowMsg", {
    1: bytes((value) => storeId = readStoreId(value, dialect, budget)),
    2: uint((value) => compression = Number(value)),
    3: uint((value) => declared = Number(value)),
    4: uint((value) => encoding = Number(value)),
    ...newer,
    [payload]: bytes((value) => data = value),
  }, budget);
  if (storeId === undefined) throw missing("ArrowMsg", "store_id");
  if (encoding !== 1) throw new InvalidMessage(`Invalid ArrowMsg: unknown encoding ${encoding}`);
  const compressed = compressions[compression];
  if (compressed === undefined) {
    throw new InvalidMessage(`Invalid ArrowMsg: unknown compression ${compression}`);
  }
  const uncompressedSize = compressed === "off" ? data.length : declared;
  const { maxMessageBytes } = budget.limits;
  if (uncompressedSize > maxMessageBytes) {
    throw new MessageTooLarge(uncompressedSize, maxMessageBytes);
  }
  if (compressed === "lz4") checkLz4Ratio(data.length, declared, budget.limits);
  const arrow = { bytes: data, compression: compressed, uncompressedSize };
  return new ArrowMsg(storeId, chunkId, undefined, isStatic, arrow, encoded);
}

function readBlueprintActivation(
  message: Uint8Array,
  dialect: ProtobufDialect,
  encoded: Encoded,
  budget: ProtobufBudget,
): BlueprintActivationCommand {
  let blueprintId: StoreId | undefined;
  let makeActive = false;
  let makeDefault = false;
  readMessage(message, "BlueprintActivationCommand", {
    1: bytes((value) => blueprintId = readStoreId(value, dialect, budget)),
    2: uint((value) => makeActive = value !== 0n),
    3: uint((value) => makeDefault = value !== 0n),
  }, budget);
  if (blueprintId === undefined) throw missing("BlueprintActivationCommand", "blueprint_id");
  return { kind: "BlueprintActivationCommand", blueprintId, makeActive, makeDefault, encoded };
}

function missing(message: string, field: string): InvalidMessage {
  return new InvalidMessage(`Invalid protobuf ${message}: it has no ${field}`);
}
