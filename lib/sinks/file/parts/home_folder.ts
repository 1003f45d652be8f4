/**
 * The folder of recordings, and whether it is still the one in which saving began.
 *
 * @module
 */
import type { FileReadAdapter } from "../../../adapters/files/types.ts";

/** Reads that tell folders apart. */
type Adapter = Pick<FileReadAdapter, "kind" | "identity">;

/** Remembers a folder, to tell it from others that have its name later. */
export class HomeFolder {
  private constructor(
    readonly folder: string,
    readonly adapter: Adapter,
    readonly identity: string | undefined,
  ) {}

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
    const { folder, adapter, identity } = this;
    try {
      const now = await identityOf(folder, adapter);
      return now !== undefined && identity !== undefined && now !== identity;
    } catch {
      return true;
    }
  }

  /**
   * Whether recordings that are missing may come back: another folder has the name of theirs, or
   * nothing of them is there, not even their index. A file that alone is missing will not.
   *
   * @param index path of their index, which lies beside them as long as they are saved
   */
  async isAway(index: string): Promise<boolean> {
    if (await this.isAnother()) return true;
    try {
      return await this.adapter.kind(index) === undefined;
    } catch {
      return true; // not even the folder can be looked at
    }
  }
}

async function identityOf(folder: string, adapter: Adapter): Promise<string | undefined> {
  return await adapter.identity?.(folder);
}
