/**
 * What an RRD file consists of.
 *
 * @module
 */
import type { RrdHeader } from "../rrd_header.ts";
import { RerelayError } from "../../base/errors.ts";
import type { LogMsg } from "../log_msg.ts";

/**
 * A part of an RRD file; `offset` and `bytes` say where it is and how long.
 *
 * An `end` holds the end marker and the footer behind it, if there is one; `footer` is what stands
 * between its header and its trailer. A `no-end` is no bytes: a
 * stream of Rerun 0.19 or later is over here and has no end marker, because it was cut between two
 * messages, or because its writer was stopped.
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
 * What is wrong at a place of an RRD file.
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
   * Says where the damage begins, and what it is.
   *
   * @param offset where the part begins that can't be read, in bytes
   * @param cause why
   */
  constructor(readonly offset: number, override readonly cause: Error) {
    super(`at byte ${offset}: ${cause.message}`, { cause });
  }
}
