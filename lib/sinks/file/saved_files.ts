import type { RrdWriter } from "./writer/rrd_writer.ts";
import type { Tally } from "../../base/tally.ts";

/** One file that a sink writes, and what is in it. */
export interface SavedFile extends Tally {
  /** Where it is. */
  readonly path: string;
}

/** How many closed files are listed. */
const MAX_LISTED = 100;

/** The files that a sink made, and what is in them. */
export class KeptFiles {
  readonly #live = new Set<RrdWriter>();
  readonly #closed: SavedFile[] = [];
  readonly #closedTotal = { messages: 0, bytes: 0 };

  /** Files that are being written. */
  get live(): Iterable<RrdWriter> {
    return this.#live;
  }

  /** The files that were closed last, then those that are being written. */
  get list(): SavedFile[] {
    return [...this.#closed, ...[...this.#live].map(({ path, written }) => ({ path, ...written }))];
  }

  /** What is in all files. */
  get total(): Tally {
    let { messages, bytes } = this.#closedTotal;
    for (const { written } of this.#live) {
      messages += written.messages;
      bytes += written.bytes;
    }
    return { messages, bytes };
  }

  opened(writer: RrdWriter): void {
    this.#live.add(writer);
  }

  /** Takes note of a file that was closed; one that failed is listed only if it has messages. */
  closed(writer: RrdWriter, failed: boolean): void {
    this.#live.delete(writer);
    const { path, written, target } = writer;
    this.#closedTotal.messages += written.messages;
    this.#closedTotal.bytes += written.bytes;
    if (written.messages > 0 || !failed) {
      this.#closed.push({ path: writer.renamed ? path : target.written, ...written });
    }
    if (this.#closed.length > MAX_LISTED) this.#closed.shift();
  }

  /** Takes a file from the list that was removed. */
  removed(path: string): void {
    const at = this.#closed.findIndex((saved) => saved.path === path);
    if (at >= 0) this.#closed.splice(at, 1);
  }
}
