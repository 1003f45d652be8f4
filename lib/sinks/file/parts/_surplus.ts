/**
 * Removes surplus files of a pattern, each with its original if it was recovered.
 *
 * @module
 */
import { DAMAGED_SUFFIX } from "./_suffixes.ts";
import type { PartIndexOptions } from "./_part_index_options.ts";
import type { PartList } from "./part_list.ts";

/** Does something that may fail, and tells if it does; resolves to whether it was done. */
type Attempt = (what: string, action: () => Promise<void>) => Promise<boolean>;

/** Removes the files that a list gives up. */
export class Surplus {
  /** Names of recovered files that have an original beside them. */
  readonly damaged = new Set<string>();
  readonly #options: Pick<PartIndexOptions, "pattern" | "adapter" | "log">;
  readonly #attempt: Attempt;
  readonly #isAway: () => Promise<boolean>;
  /** Files that could not be removed; the first is tried again with each removal. */
  readonly #stuck = new Set<string>();

  /**
   * @param options where the files are, and who is told
   * @param attempt does what may fail
   * @param isAway whether another folder than that of the files has its name
   */
  constructor(
    options: Pick<PartIndexOptions, "pattern" | "adapter" | "log">,
    attempt: Attempt,
    isAway: () => Promise<boolean>,
  ) {
    this.#options = options;
    this.#attempt = attempt;
    this.#isAway = isAway;
  }

  /** Forgets that a file could not be removed: its name may be that of another from now on. */
  forget(name: string): void {
    this.#stuck.delete(name);
  }

  /** Forgets what it could not remove. */
  forgetAll(): void {
    this.#stuck.clear();
  }

  /**
   * Removes what a list gives up, and what could not be removed before.
   *
   * @param list of the closed files
   * @param isHeld whether a file waits to be forwarded
   * @returns the names of the files that are gone
   */
  async remove(
    list: PartList | undefined,
    isHeld: (name: string) => boolean,
  ): Promise<readonly string[]> {
    const removed: string[] = [];
    for (const name of this.#stuck) {
      if (!await this.#remove(name)) break;
      removed.push(name);
    }
    if (list?.isOver !== true) return removed;
    for (const name of (await this.#present(list))?.takeOldest(isHeld) ?? []) {
      list.remove(name);
      if (await this.#remove(name)) removed.push(name);
    }
    return removed;
  }

  /**
   * The files of a list that are there: what is missing takes no room, and no other goes for it. What
   * somebody removed is taken out of the list; what is missing because a drive was taken out is not, or its
   * files would stay for good once it is back.
   *
   * @returns `undefined` if the folder can't be looked at
   */
  async #present(list: PartList): Promise<PartList | undefined> {
    const { pattern: { folder }, adapter } = this.#options;
    // Those that are closed from here on may not be in what the system lists.
    const listed = list.closed;
    const there = await adapter.list(folder).then((names) => new Set(names), () => undefined);
    if (there === undefined) return undefined;
    if (await this.#isAway()) return list.only(there);
    for (const name of listed) if (!there.has(name)) list.forgetClosed(name);
    return list;
  }

  /** Whether nothing of the file is left. */
  async #remove(name: string): Promise<boolean> {
    this.#stuck.delete(name);
    // The original first: without the file nothing would tell what it belongs to.
    for (const gone of this.damaged.has(name) ? [name + DAMAGED_SUFFIX, name] : [name]) {
      if (await this.#removeFile(gone)) continue;
      // It stays in the index, by which a later start tries again.
      this.#stuck.add(name);
      return false;
    }
    this.damaged.delete(name);
    return true;
  }

  #removeFile(name: string): Promise<boolean> {
    const { pattern, adapter, log } = this.#options;
    return this.#attempt(`obeyed: ${name} stays`, async () => {
      // Somebody may have removed it already.
      if (await adapter.kind(pattern.folder + name) === undefined) return;
      await adapter.remove(pattern.folder + name);
      log.write("debug", `Removed ${name}, the oldest of ${pattern.name}`);
    });
  }
}
