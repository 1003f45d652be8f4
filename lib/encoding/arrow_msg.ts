import type { Table } from "apache-arrow";
import { InvalidMessage } from "../base/errors.ts";
import type { Encoded, StoreId, TimelineTime } from "./message_parts.ts";
import type { Tuid } from "./tuid.ts";
import { schemaFront } from "./arrow/schema_front.ts";
import { TREES } from "./chunks/chunk_trees.ts";
import { inflateLz4 } from "./lz4/lz4.ts";

/** A table of `apache-arrow`, as {@linkcode ArrowMsg.table} gives it. */
export type ArrowTable = Table;

/**
 * Loads `apache-arrow`, so that the first {@linkcode ArrowMsg.table} need not wait for it. Chunks are
 * read without it.
 *
 * @example
 * ```ts
 * import { loadArrow } from "@rerelay/server/encoding";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await loadArrow(), undefined);
 * ```
 */
export async function loadArrow(): Promise<void> {
  await import("apache-arrow/Arrow.dom");
}

/** The Arrow IPC stream of a message, as it came. */
export interface ArrowData {
  /** The stream, compressed or not. */
  readonly bytes: Uint8Array;
  /** How these bytes are compressed; `"lz4"` only if the envelope is protobuf. */
  readonly compression: "off" | "lz4";
  /** Length in bytes once inflated. */
  readonly uncompressedSize: number;
}

/**
 * A chunk of logged data (before SDK 0.17 a table of several entities); its Arrow data stays opaque
 * until somebody asks for it.
 *
 * @example
 * ```ts
 * import { ArrowMsg, type LogMsg } from "@rerelay/server";
 * import { decodeRrdHeader } from "@rerelay/server/encoding";
 * import { assertEquals } from "@std/assert";
 * import { tableFromArrays, tableToIPC } from "apache-arrow";
 *
 * async function rowsOf(msg: LogMsg): Promise<number> {
 *   return msg.kind === "ArrowMsg" ? (await msg.table()).numRows : 0;
 * }
 *
 * // A server or a file gives such messages; this one is made by hand.
 * const bytes = tableToIPC(tableFromArrays({ x: [1, 2, 3] }), "stream");
 * const head = Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 2, 0, 0);
 * const msg = new ArrowMsg(
 *   { kind: "Recording", id: "by hand" },
 *   undefined,
 *   [{ name: "frame", type: "sequence", time: 7n }],
 *   undefined,
 *   { bytes, compression: "off", uncompressedSize: bytes.length },
 *   { header: decodeRrdHeader(head), bytes },
 * );
 * assertEquals([msg.timepointMax?.[0]?.time, await rowsOf(msg)], [7n, 3]);
 * ```
 */
export class ArrowMsg {
  /** Tells the kinds of log messages apart. */
  readonly kind = "ArrowMsg" as const;
  /** The application, once it is known. */
  #announced: string | undefined;

  /**
   * Puts together what a decoder read.
   *
   * @param storeId the recording or blueprint it belongs to
   * @param chunkId before 0.17 the table's id; `undefined` where the envelope has none
   * @param timepointMax the latest time on each timeline, in Rerun's order; `[]` if the data is static,
   * `undefined` where the envelope does not say
   * @param isStatic what the envelope says of it, SDK 0.25 and later
   * @param arrow the data
   * @param encoded the message as it came
   */
  constructor(
    readonly storeId: StoreId,
    readonly chunkId: Tuid | undefined,
    readonly timepointMax: readonly TimelineTime[] | undefined,
    readonly isStatic: boolean | undefined,
    readonly arrow: ArrowData,
    readonly encoded: Encoded,
  ) {}

  /**
   * The Arrow IPC stream, inflated if it is compressed.
   *
   * @param memory where it is inflated to, if it fits there; left out, memory is new
   * @throws {InvalidMessage} if the compressed data is damaged
   */
  ipc(memory?: Uint8Array<ArrayBuffer>): Uint8Array {
    const { bytes, compression, uncompressedSize } = this.arrow;
    return compression === "off" ? bytes : inflateLz4(bytes, uncompressedSize, memory);
  }

  /**
   * The application that logged it. For SDK 0.24 and before it is told by the announcement of its
   * store, and `undefined` if that did not come before it on the same way.
   */
  get applicationId(): string | undefined {
    return this.storeId.applicationId ?? this.#announced;
  }

  /**
   * Sets the application that the announcement of its store told, for SDKs that tell it only there.
   *
   * @internal
   */
  announce(applicationId: string | undefined): void {
    if (applicationId !== undefined) this.#announced = applicationId;
  }

  /**
   * Where the chunk is logged to, such as `/robot/camera`; `undefined` for the tables of SDK 0.9 to 0.16,
   * whose rows are of several entities, and where the schema of the data is damaged. No column is
   * decoded for it.
   */
  get entityPath(): string | undefined {
    try {
      return TREES.of(schemaFront(this.arrow), this.encoded.header.version).tree.entityPath;
    } catch (error) {
      if (error instanceof InvalidMessage) return undefined;
      throw error;
    }
  }

  /**
   * Decodes the data with `apache-arrow`, which is loaded at the first call; see `chunks` for what is
   * faster, and means the same whichever SDK it came from.
   *
   * @throws {Error} if the data is not a valid Arrow IPC stream
   */
  async table(): Promise<ArrowTable> {
    // The package's entry for browsers, which has the same classes: its entry for Node has static
    // imports of `node:stream`, which would be in every bundle of the core.
    const { tableFromIPC } = await import("apache-arrow/Arrow.dom");
    const ipc = this.ipc();
    // The library reads numbers in place, so the stream must begin at a multiple of 8 bytes.
    return tableFromIPC(ipc.byteOffset % 8 === 0 ? ipc : new Uint8Array(ipc));
  }
}
