/**
 * Gives messages of SDK 0.17 to 0.22 the form of today's Rerun, which can't read the one they came
 * in.
 *
 * Envelopes are rewritten, and the schemas of chunks get today's tags; all that was logged keeps
 * its bytes. The form is that of Rerun 0.23, which later versions read.
 *
 * @module
 */
import { checkGiven, checkOptions } from "../base/check_arguments.ts";
import { checkBoolean } from "../base/check_options.ts";
import { InvalidMessage } from "../base/errors.ts";
import type { Step, StepResult } from "../base/step.ts";
import { ArrowMsg } from "../encoding/arrow_msg.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import type { StoreId } from "../encoding/message_parts.ts";
import { encodeLogMsg, protobufHeader } from "../encoding/protobuf/encode_log_msg.ts";
import { WriterMemory } from "../encoding/protobuf/arrow_msg_front.ts";
import type { RrdHeader } from "../encoding/rrd_header.ts";
import { FIRST_MINOR, LAST_MINOR } from "../encoding/names/names.ts";
import { VersionNames } from "../encoding/names/version_names.ts";
import { ChunkIds } from "./chunk_ids.ts";
import { Entities } from "./entities.ts";
import { RecordingStarts } from "./recording_start.ts";
import { StoreBridge, type StreamMemory } from "./store_bridge.ts";
import { KnownSchemas } from "../encoding/arrow/known_schemas.ts";

/** The header for all messages of this form; later readers migrate from this version. */
export const BRIDGED_HEADER: RrdHeader = protobufHeader({ major: 0, minor: 23, patch: 4, meta: 0 });

/** How many stores of one stream are remembered. */
const MAX_STORES = 64;
/** How many components are counted by name. */
const MAX_UNTAGGED = 256;

/** Counts of what became of messages. */
export interface BridgeCounts {
  /** Messages that got today's form. */
  readonly bridged: number;
  /** Messages that had it already, of SDK 0.23 and later. */
  readonly already: number;
  /** Messages of SDK 0.16 and before, which log tables and no chunks: they are left as they came. */
  readonly tables: number;
  /** Chunks whose schema can't be read: their data is left as it came. */
  readonly damaged: number;
  /** Messages of kinds that are not known, left as they came. */
  readonly unknown: number;
  /**
   * Columns of Rerun's components that got no archetype, by component, because it was not told
   * which one, or because the data has another layout today. Today's viewer lists them, and does
   * not draw them.
   */
  readonly untagged: ReadonlyMap<string, number>;
}

/** Options of {@linkcode Bridge}; all may be left out. */
export interface BridgeOptions {
  /**
   * Whether memory is used again for later messages once {@linkcode Bridge.release} is called;
   * default true.
   */
  readonly reusesMemory?: boolean;
  /**
   * Whether large messages share their data with those that they are made of, which saves a copy:
   * then they are valid only as long as those are; default false. Their data is never in memory
   * that is used again for later messages.
   */
  readonly sharesData?: boolean;
}

/**
 * Whether messages that came under a header get another form: those of SDK 0.17 to 0.22.
 *
 * @param header of a message; its version is enough
 *
 * @example
 * ```ts
 * import { BRIDGED_HEADER, isBridgeable } from "@rerelay/server/bridge";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isBridgeable(BRIDGED_HEADER), false);
 * ```
 */
export function isBridgeable(header: Pick<RrdHeader, "version">): boolean {
  const isGiven = typeof header?.version?.minor === "number";
  checkGiven("isBridgeable", "the header of a message", isGiven, header);
  return isOfChunks(header.version.major, header.version.minor);
}

function isOfChunks(major: number, minor: number): boolean {
  return major === 0 && minor >= FIRST_MINOR && minor <= LAST_MINOR;
}

/**
 * Gives messages today's form, one after another; what it remembers is bounded.
 *
 * @example
 * ```ts
 * import { Bridge } from "@rerelay/server/bridge";
 * import { assertEquals } from "@std/assert";
 *
 * const bridge = new Bridge();
 * assertEquals(bridge.push([]), { items: [] });
 * assertEquals(bridge.counts.bridged, 0);
 * ```
 */
export class Bridge implements Step<readonly LogMsg[], LogMsg> {
  readonly #names = new VersionNames();
  readonly #stores = new Map<string, StoreBridge>();
  readonly #memory: StreamMemory;
  readonly #starts = new RecordingStarts();
  #last: { readonly of: StoreId; readonly minor: number; readonly store: StoreBridge } | undefined;
  readonly #untagged = new Map<string, number>();
  #bridged = 0;
  #already = 0;
  #tables = 0;
  #damaged = 0;
  #unknown = 0;

  /**
   * Begins a stream.
   *
   * @param options how memory is used
   */
  constructor(options: BridgeOptions = {}) {
    checkOptions("Bridge", options, { reusesMemory: true, sharesData: true });
    const { reusesMemory = true, sharesData = false } = options;
    checkBoolean("reusesMemory", reusesMemory);
    checkBoolean("sharesData", sharesData);
    this.#memory = {
      schemas: new KnownSchemas(),
      entities: new Entities(),
      ids: new ChunkIds(),
      writer: reusesMemory ? new WriterMemory() : new WriterMemory(0),
      sharesData,
    };
  }

  /** Counts so far. */
  get counts(): BridgeCounts {
    return {
      bridged: this.#bridged,
      already: this.#already,
      tables: this.#tables,
      damaged: this.#damaged,
      unknown: this.#unknown,
      untagged: this.#untagged,
    };
  }

  /** Bridges messages of one stream, in their order; see {@linkcode Bridge.messages}. */
  push(batch: readonly LogMsg[]): StepResult<LogMsg> {
    return { items: batch.flatMap((msg) => this.messages(msg)) };
  }

  /** Does nothing: no message is held back. */
  finish(): StepResult<LogMsg> {
    return { items: [] };
  }

  /**
   * Gives a message today's form, and says what today's SDKs say besides: behind the announcement of a
   * recording comes, once, a chunk with the time at which it began. Viewers call it by that.
   *
   * @param msg of any SDK
   * @returns one message, or two; the message itself where {@linkcode Bridge.bridge} gives that
   */
  messages(msg: LogMsg): readonly LogMsg[] {
    return this.#starts.withStart(msg, this.bridge(msg));
  }

  /**
   * Gives a message today's form, and nothing besides.
   *
   * @param msg of any SDK
   * @returns the message itself if it has that form already, or can't have it
   */
  bridge(msg: LogMsg): LogMsg {
    const { header } = msg.encoded;
    const { major, minor } = header.version;
    if (!isOfChunks(major, minor)) {
      if (major === 0 && minor < FIRST_MINOR) this.#tables++;
      else this.#already++;
      return msg;
    }
    if (msg.kind === "ArrowMsg") return this.#chunk(msg, minor);
    const bytes = encodeLogMsg(msg, "v1alpha1");
    if (bytes === undefined) {
      this.#unknown++;
      return msg;
    }
    this.#bridged++;
    return { ...msg, encoded: { header: BRIDGED_HEADER, bytes } };
  }

  /**
   * Says that nobody needs the messages that were given out, so that their memory is used for later
   * ones, which is several times as fast. Without this call each message keeps its own memory.
   */
  release(): void {
    this.#memory.writer.release();
  }

  #chunk(msg: ArrowMsg, minor: number): LogMsg {
    try {
      const { msg: bridged, untagged } = this.#store(msg, minor).chunk(msg, BRIDGED_HEADER);
      if (untagged.length > 0) { for (const component of untagged) this.#count(component); }
      this.#bridged++;
      return bridged;
    } catch (error) {
      if (!(error instanceof InvalidMessage)) throw error;
    }
    this.#damaged++;
    const { storeId, chunkId, timepointMax, isStatic, arrow } = msg;
    const encoded = { header: BRIDGED_HEADER, bytes: encodeLogMsg(msg, "v1alpha1")! };
    return new ArrowMsg(storeId, chunkId, timepointMax, isStatic, arrow, encoded);
  }

  #store({ storeId }: ArrowMsg, minor: number): StoreBridge {
    const last = this.#last;
    if (last !== undefined && last.minor === minor && isSame(last.of, storeId)) return last.store;
    const key = JSON.stringify([minor, storeId.kind, storeId.id, storeId.applicationId]);
    let store = this.#stores.get(key);
    if (store === undefined) {
      store = new StoreBridge(storeId, key, minor, this.#names, this.#memory);
      this.#stores.set(key, store);
      if (this.#stores.size > MAX_STORES) this.#stores.delete(this.#stores.keys().next().value!);
    }
    this.#last = { of: storeId, minor, store };
    return store;
  }

  #count(component: string): void {
    const count = this.#untagged.get(component) ?? 0;
    if (count > 0 || this.#untagged.size < MAX_UNTAGGED) this.#untagged.set(component, count + 1);
  }
}

function isSame(a: StoreId, b: StoreId): boolean {
  return a === b || a.id === b.id && a.kind === b.kind && a.applicationId === b.applicationId;
}
