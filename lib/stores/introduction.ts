/**
 * What is written into a file before the first message of a store.
 *
 * @module
 */
import type { RrdHeader } from "../encoding/rrd_header.ts";
import { isSameEncoding } from "../encoding/rrd/same_encoding.ts";
import { encodeStoreInfo } from "../encoding/rrd/encode_store_info.ts";
import { shortened, type Store } from "./store_memory.ts";
import type { Kept } from "./kept.ts";

/** The name of recordings whose application nobody told. */
export const UNKNOWN_APPLICATION = "unknown";

/** What a file already has of what it must begin with. */
export class PartContents {
  /** Stores that are announced in it. */
  readonly introduced = new WeakSet<Store>();
  /** Messages of blueprints that are in it. */
  readonly has = new WeakSet<Kept>();
}

/** A store's first message in a file. */
export interface Introduced {
  readonly header: RrdHeader;
  readonly store: Store | undefined;
  /** Whether it announces its store. */
  readonly announces: boolean;
}

/**
 * The announcement, the blueprints and the latest static data of a store.
 *
 * @param entry the store's first message in the file
 * @param blueprints that go with it
 * @param contents of the file; the blueprints are added
 * @param date of a made-up announcement, milliseconds since the Unix epoch
 */
export function* introduction(
  { header, store, announces }: Introduced,
  blueprints: readonly Store[],
  contents: PartContents,
  date: number,
): Generator<Kept> {
  if (store === undefined) return;
  if (!announces) yield announcement(header, store, date);
  for (const blueprint of blueprints) {
    const missing = missingOf(header, blueprint, contents, date);
    if (blueprint.data.size > 0) yield* took(blueprint, missing, contents);
  }
  for (const kept of store.data.values()) if (isSameEncoding(kept.header, header)) yield kept;
}

/**
 * What a file does not have of a blueprint, in the file's encoding.
 *
 * @param header of the file
 * @param blueprint whose messages are kept
 * @param contents of the file; not changed
 * @param date of a made-up announcement, milliseconds since the Unix epoch
 */
export function missingOf(
  header: RrdHeader,
  blueprint: Store,
  { introduced, has }: PartContents,
  date: number,
): Kept[] {
  const messages = [...blueprint.data.values()];
  if (blueprint.announced !== undefined) messages.unshift(blueprint.announced);
  const missing = messages.filter((kept) => isSameEncoding(kept.header, header) && !has.has(kept));
  const [first] = missing;
  if (first === undefined || first === blueprint.announced || introduced.has(blueprint)) {
    return missing;
  }
  return [announcement(header, blueprint, date), ...missing];
}

/** Takes note that messages of a blueprint are written to a file. */
export function* took(
  blueprint: Store,
  messages: readonly Kept[],
  { introduced, has }: PartContents,
): Generator<Kept> {
  for (const message of messages) {
    introduced.add(blueprint);
    has.add(message);
    yield message;
  }
}

/** The application of a recording, cut as other names are: peers choose it. */
export function applicationOf({ info, id }: Store): string {
  return shortened(info?.applicationId ?? id.applicationId ?? UNKNOWN_APPLICATION);
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
