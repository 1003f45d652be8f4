/**
 * The folder of recordings, and whether it is still the one in which saving began.
 *
 * @module
 */
import type { FileReadAdapter } from "../../../adapters/files/types.ts";

/** Reads that tell folders apart. */
type Adapter = Pick<FileReadAdapter, "kind" | "identity">;

/** The index of recordings, which lies beside them as long as they are saved. */
interface Index {
  readonly path: string;
  /** Whether that in the folder in which saving began was removed. */
  isRemoved(): Promise<boolean>;
  /** Lets go of the one that was removed; returns whether another one is written in its place. */
  forgetRemoved(): Promise<boolean>;
}

/** Remembers a folder, to tell it from others that have its name later. */
export class HomeFolder {
  #identity: string | undefined;

  private constructor(
    readonly folder: string,
    readonly adapter: Adapter,
    identity: string | undefined,
  ) {
    this.#identity = identity;
  }

  /**
   * Remembers the folder that is there now.
   *
   * @param folder its path, with the separator at its end; `""` is the current one
   * @param adapter looks at it
   */
  static async of(folder: string, adapter: Adapter): Promise<HomeFolder> {
    return new HomeFolder(
      folder,
      adapter,
      await identityOf(folder, adapter).catch(() => undefined),
    );
  }

  /**
   * Whether another folder has its name, as where a drive was taken out and the empty folder came to
   * light on which it was mounted; also if none is there.
   */
  async isAnother(): Promise<boolean> {
    const { folder, adapter } = this;
    const identity = this.#identity;
    try {
      const now = await identityOf(folder, adapter);
      return now !== undefined && identity !== undefined && now !== identity;
    } catch {
      return true;
    }
  }

  /**
   * Whether the recordings are away with their folder, as on a drive that was taken out, while another
   * folder has its name. If their index was removed they are gone, and the folder that was made anew takes
   * the place of theirs.
   *
   * @param index of them
   */
  async isElsewhere(index: Index): Promise<boolean> {
    if (!await this.isAnother()) return false;
    if (!await index.isRemoved()) return true;
    if (await index.forgetRemoved()) await this.renew();
    return false;
  }

  /** Takes the folder that has the name now for that of the recordings. */
  async renew(): Promise<void> {
    this.#identity = await identityOf(this.folder, this.adapter).catch(() => this.#identity);
  }

  /**
   * Whether recordings that are missing may come back: they are elsewhere, or nothing of them is there, not
   * even their index. A file that alone is missing will not, nor one that was removed with its folder.
   *
   * @param index of them
   */
  async isAway(index: Index): Promise<boolean> {
    if (await this.isAnother()) return await this.isElsewhere(index);
    try {
      return await this.adapter.kind(index.path) === undefined;
    } catch {
      return true; // not even the folder can be looked at
    }
  }
}

async function identityOf(folder: string, adapter: Adapter): Promise<string | undefined> {
  return await adapter.identity?.(folder);
}
