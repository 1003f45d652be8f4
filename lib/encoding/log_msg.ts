/**
 * The log messages that SDKs send: only the envelope is decoded, Arrow data stays opaque.
 *
 * @module
 */
import type { RrdHeader, RrdVersion } from "./rrd_header.ts";
import type { Tuid } from "./tuid.ts";
import type { ArrowMsg } from "./arrow_msg.ts";

/** Which store a message belongs to: a recording, or a blueprint for the viewer's layout. */
export interface StoreId {
  /** Logged data, or a layout for it. */
  readonly kind: "Recording" | "Blueprint";
  /** The recording id as the SDK chose it; any text a peer likes. */
  readonly id: string;
  /** Sent with every store id by SDK 0.25 and later only. */
  readonly applicationId?: string;
}

/** What made the recording, told apart by `kind`, with Rerun's names. */
export type StoreSource =
  | { readonly kind: "Unknown" | "CSdk" | "Viewer" }
  | {
    readonly kind: "PythonSdk";
    readonly major: number;
    readonly minor: number;
    readonly patch: number;
    readonly suffix: string;
  }
  | { readonly kind: "RustSdk"; readonly rustcVersion: string; readonly llvmVersion: string }
  | { readonly kind: "File"; readonly fileSource: FileSource }
  | { readonly kind: "Other"; readonly name: string };

/** How a file came to a viewer. */
export type FileSource = "Cli" | "Uri" | "DragAndDrop" | "FileDialog" | "Sdk";

/** What an SDK says of a recording before it logs to it. */
export interface StoreInfo {
  /** Name of the program, as it gave it. */
  readonly applicationId: string;
  /** The store that is announced. */
  readonly storeId: StoreId;
  /** The store whose copy it is. */
  readonly clonedFrom?: StoreId;
  /** Whether it is one of the examples that come with Rerun. */
  readonly isOfficialExample: boolean;
  /** When the recording began, nanoseconds since the Unix epoch. */
  readonly started: bigint;
  /** What made it. */
  readonly storeSource: StoreSource;
  /** Version of the SDK, taken from the RRD header it came under. */
  readonly storeVersion?: RrdVersion;
}

/** The bytes a message came as, so that it can be written and relayed without being encoded again. */
export interface Encoded {
  /** The header of the RRD stream the message came in; what came by gRPC has one that fits it. */
  readonly header: RrdHeader;
  /** The message with its own 8-byte (msgpack) or 16-byte (protobuf) header, as `.rrd` has it. */
  readonly bytes: Uint8Array;
}

/** Announces a recording or a blueprint; SDKs send it at the start of their first connection. */
export interface SetStoreInfo {
  /** Tells the kinds of log messages apart. */
  readonly kind: "SetStoreInfo";
  /** Id of this message; the same store is often announced twice. */
  readonly rowId: Tuid;
  /** What is announced. */
  readonly info: StoreInfo;
  /** The message as it came. */
  readonly encoded: Encoded;
}

/** Tells viewers to use a blueprint that was sent before. */
export interface BlueprintActivationCommand {
  /** Tells the kinds of log messages apart. */
  readonly kind: "BlueprintActivationCommand";
  /** Which blueprint. */
  readonly blueprintId: StoreId;
  /** Whether to show it now. */
  readonly makeActive: boolean;
  /** Whether to show it when the user resets the layout. */
  readonly makeDefault: boolean;
  /** The message as it came. */
  readonly encoded: Encoded;
}

/** A message of a kind that this version does not know: carried through untouched. */
export interface UnknownMsg {
  /** Tells the kinds of log messages apart. */
  readonly kind: "UnknownMsg";
  /** The msgpack variant name, or the protobuf kind number as text. */
  readonly name: string;
  /** The message as it came. */
  readonly encoded: Encoded;
}

/** The latest time of a chunk on one timeline. */
export interface TimelineTime {
  /** Name of the timeline. */
  readonly name: string;
  /** Whether it counts, or measures time. */
  readonly type: "sequence" | "time";
  /** A sequence number, or nanoseconds; {@linkcode TIME_STATIC} where the SDK sent none. */
  readonly time: bigint;
}

/** The time of static data, as Rerun's `TimeInt::STATIC`: −2⁶³, sent as nil by SDK 0.16 and later. */
export const TIME_STATIC: bigint = -(2n ** 63n);

/** Any log message, told apart by `kind`. */
export type LogMsg = SetStoreInfo | ArrowMsg | BlueprintActivationCommand | UnknownMsg;
