/**
 * Parts of log messages: the store that they belong to, what is announced of a recording, times,
 * and the bytes that they came as.
 *
 * @module
 */
import type { RrdHeader, RrdVersion } from "./rrd_header.ts";

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

/** What an SDK announces of a recording before it logs to it. */
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

/** The latest time of a chunk on one timeline. */
export interface TimelineTime {
  /** Name of the timeline. */
  readonly name: string;
  /** Whether its times are counts, or moments. */
  readonly type: "sequence" | "time";
  /** A sequence number, or nanoseconds; {@linkcode TIME_STATIC} where the SDK sent none. */
  readonly time: bigint;
}

/** The time of static data, as Rerun's `TimeInt::STATIC`: −2⁶³, sent as nil by SDK 0.16 and later. */
export const TIME_STATIC: bigint = -(2n ** 63n);
