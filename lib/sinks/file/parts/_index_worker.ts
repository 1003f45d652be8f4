/**
 * The worker that indexes the files whose paths it is sent.
 *
 * @module
 */
import { loadFileAdapter } from "../../../adapters/load.ts";
import { lowerPriority } from "../../../adapters/process/lower_priority.ts";
import { reason } from "../../../base/errors.ts";
import { NotIndexable } from "../../../chunk_index/not_indexable.ts";
import { indexFile } from "../../../chunk_index/walk_file.ts";
import { type Indexed, indexedFile, notIndexable } from "./chunk_indexer.ts";

const self = globalThis as unknown as {
  onmessage: (event: MessageEvent<string>) => void;
  postMessage(message: Indexed): void;
};

lowerPriority();
self.onmessage = async ({ data: path }) => self.postMessage(await index(path));

async function index(path: string): Promise<Indexed> {
  try {
    const file = await (await loadFileAdapter()).openAt(path);
    try {
      return indexedFile(await indexFile(file));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof NotIndexable) return notIndexable(error);
    return { kind: "failed", why: reason(error) };
  }
}
