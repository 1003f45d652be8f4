import type { FileAdapter } from "../../../adapters/files/types.ts";
import type { Log } from "../../../base/log.ts";
import type { SavePattern } from "../save_pattern.ts";
import type { PartCatalog } from "./part_catalog.ts";
import type { PartJournal } from "./part_journal.ts";
import type { Keep } from "./part_list.ts";

/** Options of an index. */
export interface PartIndexOptions {
  readonly pattern: SavePattern;
  readonly adapter: FileAdapter;
  readonly log: Log;
  readonly keep: Keep;
  /** Whether files must be on the disk before the index says so. */
  readonly sync: boolean;
  /**
   * The identity of this program, for lines of the index; absent if no other programs are looked
   * at.
   */
  readonly writer?: string;
  /** Identities of programs that still write files of their own under the pattern. */
  readonly draining?: Set<string>;
  /** Whether a program of that identity runs; absent if no other programs are looked at. */
  readonly isRunning?: (identity: string) => Promise<boolean>;
  /** Told of every file, if somebody lists them. */
  readonly catalog?: PartCatalog | undefined;
  /** Told of every file, if followers read behind the writer. */
  readonly journal?: PartJournal | undefined;
}
