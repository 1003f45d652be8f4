/**
 * What is written before the first message of a store in a file.
 *
 * @module
 */
import type { RrdHeader } from "../encoding/rrd/rrd_header.ts";
import { isSameEncoding } from "../encoding/rrd/same_encoding.ts";
import { encodeStoreInfo } from "../encoding/rrd/encode_store_info.ts";
import type { Kept, Store, StoreMemory } from "./store_memory.ts";

/** The name of recordings whose application nobody told. */
export const UNKNOWN_APPLICATION = "unknown";

/**
 * The announcement, the blueprints and the latest static data of a store.
 *
 * @param first the store's first message in the file
 * @param memory where blueprints are found
 * @param introduced stores that the file knows; blueprints are added
 * @param date of a made-up announcement, milliseconds since the Unix epoch
 */
export function* introduction(
  { header, store, announces }: {
    readonly header: RrdHeader;
    readonly store: Store | undefined;
    readonly announces: boolean;
  },
  memory: StoreMemory,
  introduced: WeakSet<Store>,
  date: number,
): Generator<Kept> {
  if (store === undefined) return;
  if (!announces) yield announcement(header, store, date);
  const blueprints = store.id.kind === "Recording" ? memory.blueprintsOf(applicationOf(store)) : [];
  for (const blueprint of blueprints) {
    if (introduced.has(blueprint)) continue;
    const data = [...blueprint.data.values()].filter((kept) => isSameEncoding(kept.header, header));
    if (data.length === 0) continue;
    introduced.add(blueprint);
    yield announcement(header, blueprint, date);
    yield* data;
  }
  for (const kept of store.data.values()) if (isSameEncoding(kept.header, header)) yield kept;
}

/** Whose recording it is. */
export function applicationOf({ info, id }: Store): string {
  return info?.applicationId ?? id.applicationId ?? UNKNOWN_APPLICATION;
}

function announcement(header: RrdHeader, store: Store, date: number): Kept {
  const { announced } = store;
  if (announced !== undefined && isSameEncoding(announced.header, header)) return announced;
  const info = store.info ?? {
    applicationId: applicationOf(store),
    storeId: store.id,
    isOfficialExample: false,
    started: BigInt(Math.round(date)) * 1_000_000n,
    storeSource: { kind: "Unknown" },
  };
  return { header, bytes: encodeStoreInfo(header, info) };
}
