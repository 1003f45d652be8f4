/**
 * What reading over damage found, and what is lost.
 *
 * @module
 */
import type { RrdPart } from "../encoding/rrd/part.ts";

/** How many losses are listed one by one. */
const LISTED = 100;

/** A stretch that is lost. */
export interface RrdLoss {
  /** Where it begins, in bytes. */
  readonly offset: number;
  /** How long it is. */
  readonly bytes: number;
  /** Why the stretch can't be read. */
  readonly error: Error;
}

/**
 * Counts what was read, and what was not.
 *
 * @example
 * ```ts
 * import { RrdReport, RrdScanner } from "@rerelay/server/rrd";
 * import { assertEquals } from "@std/assert";
 *
 * const scanner = new RrdScanner({ recover: true });
 * const { items } = scanner.push(new TextEncoder().encode("no recording at all"));
 * const report = new RrdReport();
 * for (const part of [...items, ...scanner.finish().items]) report.add(part);
 * assertEquals([report.messages, report.lostBytes], [0, 19]);
 * ```
 */
export class RrdReport {
  /** Whole messages. */
  messages = 0;
  /** Bytes that were read, those lost included. */
  bytes = 0;
  /** End markers; a file that was closed has one, unless Rerun before 0.19 wrote it. */
  endMarkers = 0;
  /**
   * Streams of Rerun 0.19 or later without an end marker: they were cut between two messages, or
   * their writer was stopped.
   */
  missingEndMarkers = 0;
  /** Where the first of these is missing, in bytes. */
  firstMissingEnd: number | undefined;
  /** Headers that were damaged or missing, and were guessed. */
  guessedHeaders = 0;
  /** Stretches that are lost. */
  losses = 0;
  /** How long these are together, in bytes. */
  lostBytes = 0;
  /** The first hundred of them. */
  readonly listed: RrdLoss[] = [];

  /** Counts one part. */
  add(part: RrdPart): void {
    this.bytes += part.bytes;
    switch (part.kind) {
      case "message":
        this.messages++;
        break;
      case "end":
        this.endMarkers++;
        break;
      case "no-end":
        this.missingEndMarkers++;
        this.firstMissingEnd ??= part.offset;
        break;
      case "header":
        if (part.isGuessed) this.guessedHeaders++;
        break;
      case "damage": {
        const { offset, bytes, error } = part;
        this.losses++;
        this.lostBytes += bytes;
        if (this.listed.length < LISTED) this.listed.push({ offset, bytes, error });
      }
    }
  }
}
