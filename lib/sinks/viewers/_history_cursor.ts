/**
 * A late viewer's way through the history: it holds nothing, so what is dropped meanwhile it misses,
 * as whoever joins later does.
 *
 * @module
 */
import type { LogMsg } from "../../log_msg.ts";
import type { Entry } from "./_entry.ts";
import type { EntryList } from "./_entry_list.ts";
import type { History } from "./_history.ts";

/** A place in the history. */
export class HistoryCursor {
  readonly #history: History;
  /** What came until here is given preamble first. */
  readonly #joined: number;
  #preambleAt = 0;
  #chunksAt = 0;

  /**
   * @param history where it goes through
   * @param order whether what explains chunks comes before all of them
   */
  constructor(history: History, order: "viewer" | "arrival") {
    this.#history = history;
    this.#joined = order === "viewer" ? history.memory.lastSeq : 0;
  }

  /**
   * The next messages.
   *
   * @param maxBytes about how many; a larger message comes alone
   * @param wants which of them
   * @returns `isAtEnd`: there is no more now, so what comes next is to be queued
   */
  take(maxBytes: number, wants: (msg: LogMsg) => boolean): { msgs: LogMsg[]; isAtEnd: boolean } {
    const msgs: LogMsg[] = [];
    let bytes = 0;
    const { preamble, chunks } = this.#history;
    const explained = this.#walk(preamble, this.#preambleAt);
    const logged = this.#walk(chunks, this.#chunksAt);
    for (;;) {
      const isPreamble = this.#goesFirst(explained.entry, logged.entry);
      const { entry } = isPreamble ? explained : logged;
      if (entry === undefined) return { msgs, isAtEnd: true };
      if (wants(entry.msg)) {
        if (bytes > 0 && bytes + entry.size > maxBytes) return { msgs, isAtEnd: false };
        msgs.push(entry.msg);
        bytes += entry.size;
      }
      if (isPreamble) this.#preambleAt = entry.seq;
      else this.#chunksAt = entry.seq;
      (isPreamble ? explained : logged).advance();
    }
  }

  #goesFirst(preamble: Entry | undefined, chunk: Entry | undefined): boolean {
    if (preamble === undefined || chunk === undefined) return preamble !== undefined;
    return preamble.seq <= this.#joined || preamble.seq < chunk.seq;
  }

  #walk(list: EntryList, after: number): { entry: Entry | undefined; advance(): void } {
    const entries = list.from(after)[Symbol.iterator]();
    const walk = {
      entry: undefined as Entry | undefined,
      advance: () => walk.entry = entries.next().value as Entry | undefined,
    };
    walk.advance();
    return walk;
  }
}
