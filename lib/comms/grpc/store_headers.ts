import { protobufHeader } from "../../encoding/protobuf/encode_log_msg.ts";
import type { ProtobufDialect } from "../../encoding/protobuf/protobuf_store_info.ts";
import type { RrdHeader, RrdVersion } from "../../encoding/rrd_header.ts";
import { forgetOldest } from "../../base/forget_oldest.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { StoreId } from "../../encoding/message_parts.ts";

/** How many stores' versions are remembered. */
const MAX_STORES = 10_000;
/** Stores with longer names, in characters, are not remembered. */
const MAX_KEY_LENGTH = 1024;

/**
 * The version that is assumed of a store which has not told its own: that of the first SDK with
 * this definition. Readers use it for warnings only.
 */
const FIRST: Readonly<Record<ProtobufDialect, RrdVersion>> = {
  v0: { major: 0, minor: 22, patch: 1, meta: 0 },
  v1alpha1: { major: 0, minor: 23, patch: 4, meta: 0 },
};

/**
 * Gives RRD headers to messages that came without one: each gets the version that its store told
 * last.
 *
 * One for all calls, since a recording's store info may come by another call than its data.
 */
export class StoreHeaders {
  /** The headers of messages whose store has not told its version. */
  readonly first: Readonly<Record<ProtobufDialect, RrdHeader>> = {
    v0: protobufHeader(FIRST.v0),
    v1alpha1: protobufHeader(FIRST.v1alpha1),
  };
  readonly #ofStores = new Map<string, RrdHeader>();
  #newest: RrdHeader | undefined;
  #last: { readonly id: StoreId; readonly header: RrdHeader } | undefined;

  /** How many stores' versions are remembered now. */
  get size(): number {
    return this.#ofStores.size;
  }

  /**
   * The header of a message; store infos are remembered.
   *
   * @param msg as it was decoded, whatever header it has now
   * @param dialect the definitions that its bytes follow, which its header has to tell
   */
  of(msg: LogMsg, dialect: ProtobufDialect): RrdHeader {
    switch (msg.kind) {
      case "SetStoreInfo":
        return this.#fit(this.#learn(msg.info.storeId, msg.info.storeVersion, dialect), dialect);
      case "ArrowMsg":
        return this.#fit(this.#find(msg.storeId), dialect);
      case "BlueprintActivationCommand":
        return this.#fit(this.#find(msg.blueprintId), dialect);
      case "UnknownMsg":
        return this.first[dialect];
    }
  }

  /**
   * Makes sure that a header fits: it tells readers which definitions to follow, so a store must
   * not claim a version whose definitions its bytes do not follow.
   */
  #fit(header: RrdHeader | undefined, dialect: ProtobufDialect): RrdHeader {
    return header !== undefined && fits(header.version, dialect) ? header : this.first[dialect];
  }

  #learn(
    id: StoreId,
    version: RrdVersion | undefined,
    dialect: ProtobufDialect,
  ): RrdHeader | undefined {
    this.#last = undefined;
    const key = keyOf(id);
    if (version === undefined || !fits(version, dialect)) {
      this.#ofStores.delete(key);
      return undefined;
    }
    const before = this.#ofStores.get(key);
    if (before !== undefined && isSame(before.version, version)) return before;
    const header = this.#headerOf(version, dialect);
    if (key.length > MAX_KEY_LENGTH) return header;
    this.#ofStores.delete(key);
    this.#ofStores.set(key, header);
    forgetOldest(this.#ofStores, MAX_STORES);
    this.#newest = header;
    return header;
  }

  /** Gives mostly the same object for equal versions, which makes comparing headers fast. */
  #headerOf(version: RrdVersion, dialect: ProtobufDialect): RrdHeader {
    for (const header of [this.first[dialect], this.#newest]) {
      if (header !== undefined && isSame(header.version, version)) return header;
    }
    return protobufHeader(version);
  }

  #find(id: StoreId): RrdHeader | undefined {
    const last = this.#last;
    if (last?.id === id) return last.header;
    if (
      last !== undefined && last.id.id === id.id && last.id.kind === id.kind &&
      last.id.applicationId === id.applicationId
    ) return last.header;
    const header = this.#ofStores.get(keyOf(id));
    if (header !== undefined) this.#last = { id, header };
    return header;
  }
}

function keyOf({ kind, id, applicationId = "" }: StoreId): string {
  return `${kind} ${applicationId.length} ${applicationId} ${id}`;
}

function fits({ major, minor }: RrdVersion, dialect: ProtobufDialect): boolean {
  return (major > 0 || minor >= 23) === (dialect === "v1alpha1");
}

function isSame(a: RrdVersion, b: RrdVersion): boolean {
  return a.major === b.major && a.minor === b.minor && a.patch === b.patch && a.meta === b.meta;
}
