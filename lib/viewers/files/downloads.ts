/**
 * Files on their way to viewers, counted.
 *
 * @module
 */
import { quote } from "../../base/escape.ts";
import { reason } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";

/**
 * How a download ended: all that was asked for was given, its viewer left, its viewer took nothing for
 * too long, or the file could not be read on.
 */
export type DownloadEnd = "whole" | "left" | "stalled" | "failed";

/** A download that is under way. */
export interface DownloadJson {
  /** Counts up from 1. */
  readonly id: number;
  /** Whom it goes to, or `null`. */
  readonly addr: string | null;
  /** Of the file. */
  readonly name: string;
  /** Given so far. */
  readonly bytes: number;
  /** What was asked for of it, in bytes; `null`: in today's form, whose length nobody knows before. */
  readonly ofBytes: number | null;
}

/** Files that viewers read, counted. */
export interface DownloadStats {
  /** Those under way, at most 64. */
  readonly open: readonly DownloadJson[];
  /** Begun so far. */
  readonly begun: number;
  /** Refused, since too many were under way. */
  readonly refused: number;
  /** Given in all, in bytes. */
  readonly bytes: number;
  /** Those that are over. */
  readonly ended: Readonly<Record<DownloadEnd, number>>;
  /** Files that viewers removed. */
  readonly removed: number;
}

/** Where nothing was read. */
export const NO_DOWNLOADS: DownloadStats = {
  ...{ open: [], begun: 0, refused: 0, bytes: 0, removed: 0 },
  ended: { whole: 0, left: 0, stalled: 0, failed: 0 },
};

/** One that is under way, for who gives it. */
export interface Download {
  /** So many more bytes were given. */
  gave(bytes: number): void;
  /** It is over; the first word stands. */
  end(how: DownloadEnd, error?: unknown): void;
}

/** Counts all of them. */
export class Downloads {
  readonly #open = new Map<Download, () => DownloadJson>();
  readonly #ended = { ...NO_DOWNLOADS.ended };
  readonly #log: Log;
  #begun = 0;
  #bytes = 0;
  /** Refused, since too many were under way. */
  refused = 0;
  /** Files that viewers removed. */
  removed = 0;

  /** @param log is told of those that were not given all, unless their viewer left */
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
   * One begins.
   *
   * @param name of the file
   * @param ofBytes what was asked for of it, if that is known
   * @param addr whom it goes to, if that is known
   */
  begin(name: string, ofBytes: number | null, addr: string | undefined): Download {
    const id = ++this.#begun;
    let bytes = 0;
    const download: Download = {
      gave: (more) => {
        bytes += more;
        this.#bytes += more;
      },
      end: (how, error) => {
        if (!this.#open.delete(download)) return;
        this.#ended[how]++;
        const who = addr ?? `download ${id}`;
        if (how === "stalled") {
          const text = `Cut off the download of ${quote(name)} by ${who} after ${bytes} bytes: ` +
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
