import type { RrdHeader } from "../encoding/rrd_header.ts";

/** A message that is kept; the bytes are its own. */
export interface Kept {
  readonly header: RrdHeader;
  readonly bytes: Uint8Array;
  /** Of a blueprint's: whether no file has it yet. */
  isNew?: boolean;
}
