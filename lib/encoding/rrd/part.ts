/**
 * The parts of an RRD file.
 *
 * @module
 */
import type { RrdHeader } from "../rrd_header.ts";
import { RerelayError } from "../../base/errors.ts";
import type { LogMsg } from "../log_msg.ts";

/**
 * A part of an RRD file; `offset` and `bytes` say where it is and how long.
 *
 * An `end` is the end marker with the footer behind it, if there is one; `footer` is the part
 * between end header and trailer. A `no-end` has no bytes: here a stream of Rerun 0.19 or later
 * ends without an end marker, because it was cut between two messages, or because its writer was
 * stopped.
 */
export type RrdPart =
  & { readonly offset: number; readonly bytes: number }
  & (
    | { readonly kind: "header"; readonly header: RrdHeader; readonly isGuessed: boolean }
    | { readonly kind: "message"; readonly header: RrdHeader; readonly msg: LogMsg }
    | { readonly kind: "end"; readonly footer?: Uint8Array }
    | { readonly kind: "no-end"; readonly header: RrdHeader }
    | { readonly kind: "damage"; readonly error: Error }
  );

/** A message, where it is and how long. */
export type RrdMessage = Extract<RrdPart, { kind: "message" }>;

/**
 * Damage at a place of an RRD file.
 *
 * @example
 * ```ts
 * import { readRrd, RrdDamage } from "@rerelay/server/rrd";
 * import { assertRejects } from "@std/assert";
 *
 * const { messages } = readRrd(new Blob(["no recording"]).stream());
 * await assertRejects(() => Array.fromAsync(messages), RrdDamage, "at byte 0: Not an .rrd file");
 * ```
 */
export class RrdDamage extends RerelayError {
  /**
   * Names the place of the damage, and its cause.
   *
   * @param offset where the part begins that can't be read, in bytes
   * @param cause why
   */
  constructor(readonly offset: number, override readonly cause: Error) {
    super(`at byte ${offset}: ${cause.message}`, { cause });
  }
}
