import type { FileAdapter } from "../../../adapters/files/types.ts";
import type { Log } from "../../../base/log.ts";
import type { SavePattern } from "../save_pattern.ts";
import type { PartCatalog } from "./part_catalog.ts";
import type { PartJournal } from "./part_journal.ts";
import type { Keep } from "./part_list.ts";

/** How an index is kept. */
export interface PartIndexOptions {
  readonly pattern: SavePattern;
  readonly adapter: FileAdapter;
  readonly log: Log;
  readonly keep: Keep;
  /** Whether files are on the disk as the index says that they are. */
  readonly sync: boolean;
  /** This program, as lines call it; absent where nobody looks. */
  readonly writer?: string;
  /** Programs that still write under the pattern, into files that are theirs. */
  readonly draining?: ReadonlySet<string>;
  /** Is told of every file, where somebody lists them. */
  readonly catalog?: PartCatalog | undefined;
  /** Told of all files, where somebody reads behind the writer. */
  readonly journal?: PartJournal | undefined;
}
