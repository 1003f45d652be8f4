/**
 * Puts the names in a folder on the disk: until then a renamed file may be back under its old name
 * after a power cut.
 *
 * @module
 */
import type { FileWriteAdapter } from "../../../adapters/files/types.ts";
import { reason } from "../../../base/errors.ts";
import type { Log } from "../../../base/log.ts";

/** Syncs one folder; calls that come during a sync share the next one. */
export class FolderSync {
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #warned = false;

  /**
   * @param folder `""` is the current one
   * @param adapter the files to sync by
   * @param isOn whether to sync at all; `false` leaves it to the system
   */
  constructor(
    readonly folder: string,
    readonly adapter: Pick<FileWriteAdapter, "syncFolder">,
    readonly isOn: boolean,
    readonly log: Log,
  ) {}

  /** Resolves when what was renamed before is on the disk; never rejects, as some systems can't do it. */
  sync(): Promise<void> {
    if (!this.isOn) return Promise.resolve();
    return this.#next ??= (async () => {
      await this.#running;
      this.#next = undefined;
      await (this.#running = this.#sync());
    })();
  }

  async #sync(): Promise<void> {
    try {
      await this.adapter.syncFolder(this.folder);
    } catch (error) {
      if (this.#warned) return;
      this.#warned = true;
      const folder = this.folder || ".";
      const text = `New names in ${folder} may not outlive a power cut: ${reason(error)}`;
      this.log.write("warn", text, { path: folder });
    }
  }
}
