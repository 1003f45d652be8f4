import type { RrdHeader } from "../encoding/rrd_header.ts";

/** A message that is kept; the bytes are its own. */
export interface Kept {
  readonly header: RrdHeader;
  readonly bytes: Uint8Array;
  /** Set for a message of a blueprint while no file has it. */
  isNew?: boolean;
}
