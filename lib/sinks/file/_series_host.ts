/**
 * What all series of a sink share.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { Tally } from "../../base/tally.ts";
import type { Blueprints } from "../../stores/blueprints.ts";
import type { Store, StoreMemory } from "../../stores/store_memory.ts";
import type { SaveWarnings } from "./_save_warnings.ts";
import type { VersionWarnings } from "./_version_warnings.ts";
import type { Numbered } from "./parts/part_opener.ts";
import type { Rotation } from "./rotation.ts";
import type { RrdWriter } from "./writer/rrd_writer.ts";

/** Opens files for series, and is told what becomes of them. */
export interface SeriesObserver<Series> {
  /** Makes the next file, and begins it. */
  open(series: Series): Promise<RrdWriter>;
  /** A file has its name, or had to be given up. */
  closed(writer: RrdWriter, error?: unknown): Promise<void>;
  /** So much is in no file. */
  lose(lost: Tally): void;
  /** Takes what must be over before all is closed; it never rejects. */
  track(work: Promise<void>): void;
}

/** What all series share. */
export interface SeriesHost<Series> {
  readonly files: SeriesObserver<Series>;
  readonly log: Log;
  /** By what tells recordings apart that have files of their own. */
  readonly blueprints: Blueprints<object, Store>;
  readonly rotation: Rotation;
  /** Monotonic milliseconds. */
  readonly now: Clock["now"];
  /** Milliseconds since the Unix epoch. */
  readonly date: Clock["date"];
  readonly warnings: SaveWarnings;
  readonly versions: VersionWarnings;
  /** What is known of recordings. */
  readonly memory: StoreMemory;
}

/** Whose files they are. */
export interface SeriesOwner {
  /** What its files' names are made of. */
  readonly names: Numbered;
  /** Stands for the recording whose files they are; `undefined` where several share them. */
  readonly recording: object | undefined;
}
