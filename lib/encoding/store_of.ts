/**
 * Which recording or blueprint a message is of.
 *
 * @module
 */
import type { LogMsg } from "./log_msg.ts";
import type { StoreId } from "./message_parts.ts";

/** The store of a message; `undefined` where its kind is not known. */
export function storeOf(msg: LogMsg): StoreId | undefined {
  switch (msg.kind) {
    case "SetStoreInfo":
      return msg.info.storeId;
    case "ArrowMsg":
      return msg.storeId;
    case "BlueprintActivationCommand":
      return msg.blueprintId;
    case "UnknownMsg":
      return undefined;
  }
}
