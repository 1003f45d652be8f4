/**
 * Counts downloads of files.
 *
 * @module
 */
import { quote } from "../../base/escape.ts";
import { reason } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { plural } from "../../base/plural.ts";

/**
 * How a download ended: all that was asked for was given, its viewer left, its viewer took nothing for
 * too long, or the file could not be read on.
 */
export type DownloadEnd = "whole" | "left" | "stalled" | "failed";

/** A download that is under way. */
export interface DownloadJson {
  /** Counts up from 1. */
  readonly id: number;
  /** Address of the viewer, or `null`. */
  readonly addr: string | null;
  /** Name of the file. */
  readonly name: string;
  /** Bytes that were given so far. */
  readonly bytes: number;
  /** Bytes that were asked for; `null` for today's form, whose length is not known before. */
  readonly ofBytes: number | null;
}

/** Counts of downloads. */
export interface DownloadStats {
  /** Downloads under way, at most 64. */
  readonly open: readonly DownloadJson[];
  /** How many were begun so far. */
  readonly begun: number;
  /** How many were refused, because too many were under way. */
  readonly refused: number;
  /** Bytes that were given in all. */
  readonly bytes: number;
  /** How many have ended, by how. */
  readonly ended: Readonly<Record<DownloadEnd, number>>;
  /** How many files viewers removed. */
  readonly removed: number;
}

/** The counts before any download. */
export const NO_DOWNLOADS: DownloadStats = {
  ...{ open: [], begun: 0, refused: 0, bytes: 0, removed: 0 },
  ended: { whole: 0, left: 0, stalled: 0, failed: 0 },
};

/** A download under way, for the code that serves it. */
export interface Download {
  /** Address of the viewer, if known. */
  readonly addr: string | undefined;
  /** Counts bytes that were given. */
  gave(bytes: number): void;
  /** Says how it ended; the first call counts. */
  end(how: DownloadEnd, error?: unknown): void;
}

/** Counts all downloads. */
export class Downloads {
  readonly #open = new Map<Download, () => DownloadJson>();
  readonly #ended = { ...NO_DOWNLOADS.ended };
  readonly #log: Log;
  #begun = 0;
  #bytes = 0;
  /** How many were refused, because too many were under way. */
  refused = 0;
  /** How many files viewers removed. */
  removed = 0;

  /**
   * @param log where downloads are logged that were not given completely, unless their viewer left
   */
  constructor(log: Log) {
    this.#log = log;
  }

  /** All counts. */
  get stats(): DownloadStats {
    return {
      open: Array.from(this.#open.values(), (json) => json()),
      begun: this.#begun,
      refused: this.refused,
      bytes: this.#bytes,
      ended: { ...this.#ended },
      removed: this.removed,
    };
  }

  /**
   * Begins a download.
   *
   * @param name of the file
   * @param ofBytes how many bytes were asked for, if known
   * @param addr address of the viewer, if known
   */
  begin(name: string, ofBytes: number | null, addr: string | undefined): Download {
    const id = ++this.#begun;
    let bytes = 0;
    const download: Download = {
      addr,
      gave: (more) => {
        bytes += more;
        this.#bytes += more;
      },
      end: (how, error) => {
        if (!this.#open.delete(download)) return;
        this.#ended[how]++;
        const who = addr ?? `download ${id}`;
        if (how === "stalled") {
          const text =
            `Cut off the download of ${quote(name)} by ${who} after ${plural(bytes, "byte")}: ` +
            "it took nothing for too long";
          this.#log.write("warn", text, { viewer: who, reason: how, kind: "download cut off" });
        } else if (how === "failed") {
          const text = `Could not read on in ${quote(name)} for ${who}: ${reason(error)}`;
          this.#log.write("error", text, { viewer: who, reason: how, kind: "download failed" });
        }
      },
    };
    this.#open.set(download, () => ({ id, addr: addr ?? null, name, bytes, ofBytes }));
    return download;
  }
}
