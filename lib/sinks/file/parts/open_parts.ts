/**
 * Opens what a sink begins with: the index, what an earlier run left, and the first file.
 *
 * @module
 */
import type { Log } from "../../../base/log.ts";
import type { FolderSync } from "./folder_sync.ts";
import { findLeftovers, type Leftover } from "./_leftovers.ts";
import type { PartCatalog } from "./part_catalog.ts";
import { PartIndex } from "./part_index.ts";
import type { PartJournal } from "./part_journal.ts";
import { PartOpener } from "./part_opener.ts";
import type { RrdWriter } from "../writer/rrd_writer.ts";
import { PART_SUFFIX, type RrdWriterOptions } from "../writer/writer_options.ts";
import type { Keep } from "./part_list.ts";
import type { SavePlace } from "../save_place.ts";
import { isNameOf } from "../save_pattern.ts";

/** What a sink begins with. */
export interface OpenedParts {
  readonly opener: PartOpener;
  /** The index; a device has none. */
  readonly index: PartIndex | undefined;
  readonly leftovers: readonly Leftover[];
  /** The first file, which is made at once if the pattern has no braces. */
  readonly first: RrdWriter | undefined;
}

/** Options of {@linkcode openParts}. */
export interface OpenPartsOptions {
  readonly path: string;
  readonly place: SavePlace;
  readonly writer: RrdWriterOptions;
  readonly folder: FolderSync;
  readonly log: Log;
  readonly keep: Keep;
  /** Makes an id that no other file ever has. */
  readonly newId: () => string;
  /** Told of every file, if somebody lists them. */
  readonly catalog: PartCatalog | undefined;
  /** Told of every file, if followers read behind the writer. */
  readonly journal?: PartJournal | undefined;
}

/**
 * Looks into the folder, and makes the first file.
 *
 * @throws {PartExists} if an unfinished file that is not ours has the name of the first one
 * @throws whatever the runtime says
 */
export async function openParts(options: OpenPartsOptions): Promise<OpenedParts> {
  const { path, place, writer, folder, log, keep, newId, catalog, journal } = options;
  const { pattern, isDevice, adapter, writer: by, draining, isRunning } = place;
  if (isDevice) {
    const opener = new PartOpener({
      ...{ pattern, writer, index: undefined, newId, names: [], reserved: [] },
    });
    return { opener, index: undefined, leftovers: [], first: await opener.openDevice(path) };
  }
  const { sync, date } = writer;
  const names = await adapter.list(pattern.folder);
  // Another program may be closing files of its own, which then have other names than a moment ago.
  const whole = names.filter((name) => name.endsWith(PART_SUFFIX))
    .map((name) => name.slice(0, -PART_SUFFIX.length));
  const there = new Set([...names, ...whole]);
  const index = await PartIndex.open({
    ...{ pattern, adapter, log, keep, sync, catalog, journal, draining },
    names: there,
    ...(by === undefined ? {} : { writer: by }),
    ...(isRunning === undefined ? {} : { isRunning }),
  });
  catalog?.forgetMissing(there);
  try {
    const leftovers = await findLeftovers({ pattern, adapter, log, index, folder, names });
    journal?.found(names.filter((name) => isNameOf(pattern, name)));
    const reserved = leftovers.map(({ line }) => line.name);
    const opener = new PartOpener({ pattern, writer, index, newId, names, reserved });
    if (pattern.placeholders.size > 0) return { opener, index, leftovers, first: undefined };
    const numbered = { applicationId: "", recordingId: "", next: 1 };
    return { opener, index, leftovers, first: await opener.open(numbered, date()) };
  } catch (error) {
    await index.close();
    throw error;
  }
}
