/**
 * Which recording or blueprint a message belongs to, and which application that belongs to.
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

/** A text that tells stores apart: a blueprint may have the same id as a recording. */
export function storeKey({ kind, id }: StoreId): string {
  return `${kind} ${id}`;
}

/**
 * The application of its store that a message names, as announcements do, and all messages of SDK
 * 0.25 and later.
 */
export function toldApplication(msg: LogMsg): string | undefined {
  return msg.kind === "SetStoreInfo" ? msg.info.applicationId : storeOf(msg)?.applicationId;
}
