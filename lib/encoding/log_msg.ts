/**
 * The log messages that SDKs send: only the envelope is decoded, Arrow data stays opaque.
 *
 * @module
 */
import type { Encoded, StoreId, StoreInfo } from "./message_parts.ts";
import type { Tuid } from "./tuid.ts";
import type { ArrowMsg } from "./arrow_msg.ts";

/** Announces a recording or a blueprint; SDKs send it at the start of their first connection. */
export interface SetStoreInfo {
  /** Tells the kinds of log messages apart. */
  readonly kind: "SetStoreInfo";
  /** Id of this message; the same store is often announced twice. */
  readonly rowId: Tuid;
  /** What is announced. */
  readonly info: StoreInfo;
  /** The application it is of; set on what servers, decoders and readers of files give out. */
  readonly applicationId?: string;
  /** The message as it came. */
  readonly encoded: Encoded;
}

/** Tells viewers to use a blueprint that was sent before. */
export interface BlueprintActivationCommand {
  /** Tells the kinds of log messages apart. */
  readonly kind: "BlueprintActivationCommand";
  /** The blueprint to use. */
  readonly blueprintId: StoreId;
  /** Whether to show it now. */
  readonly makeActive: boolean;
  /** Whether to show it when the user resets the layout. */
  readonly makeDefault: boolean;
  /** The application it is of, if its blueprint was announced before. */
  readonly applicationId?: string;
  /** The message as it came. */
  readonly encoded: Encoded;
}

/** A message of a kind that this version does not know: carried through untouched. */
export interface UnknownMsg {
  /** Tells the kinds of log messages apart. */
  readonly kind: "UnknownMsg";
  /** The msgpack variant name, or the protobuf kind number as text. */
  readonly name: string;
  /** Never known for such messages. */
  readonly applicationId?: undefined;
  /** The message as it came. */
  readonly encoded: Encoded;
}

/** Any log message, told apart by `kind`. */
export type LogMsg = SetStoreInfo | ArrowMsg | BlueprintActivationCommand | UnknownMsg;
