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

/** Opens files for series, and hears what becomes of them. */
export interface SeriesObserver<Series> {
  /** Makes the next file of a series, and begins it. */
  open(series: Series): Promise<RrdWriter>;
  /** Called when a file has its name, or had to be given up. */
  closed(writer: RrdWriter, error?: unknown): Promise<void>;
  /** Called with what is in no file. */
  lose(lost: Tally): void;
  /** Takes work that must be over before all is closed; the promise must not reject. */
  track(work: Promise<void>): void;
}

/** What all series share. */
export interface SeriesHost<Series> {
  readonly files: SeriesObserver<Series>;
  readonly log: Log;
  /** The blueprints, by the objects that stand for recordings with files of their own. */
  readonly blueprints: Blueprints<object, Store>;
  readonly rotation: Rotation;
  /** Monotonic milliseconds. */
  readonly now: Clock["now"];
  /** Milliseconds since the Unix epoch. */
  readonly date: Clock["date"];
  readonly warnings: SaveWarnings;
  readonly versions: VersionWarnings;
  /** Remembers what files must begin with. */
  readonly memory: StoreMemory;
}

/** The recordings that files are of. */
export interface SeriesOwner {
  /** What its files' names are made of. */
  readonly names: Numbered;
  /** Stands for the recording; `undefined` if several share the files. */
  readonly recording: object | undefined;
}
