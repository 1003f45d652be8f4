/**
 * Makes the chunk indexes of files in the background, one at a time: of small files in this thread,
 * of large ones in a worker of the lowest priority.
 *
 * @module
 */
import { loadFileAdapter } from "../../../adapters/load.ts";
import type { FileAdapter, FileReadAdapter } from "../../../adapters/files/types.ts";
import { reason } from "../../../base/errors.ts";
import { untilAborted } from "../../../base/until_aborted.ts";
import type { FooterEnd } from "../../../chunk_index/footer_builder.ts";
import { NotIndexable } from "../../../chunk_index/not_indexable.ts";
import { indexFile } from "../../../chunk_index/walk_file.ts";

/** The end of an indexed file, and where it belongs. */
export interface IndexEnd extends FooterEnd {
  /** Where the last message ends. */
  readonly messagesEnd: number;
  /** How many chunks it lists. */
  readonly chunks: number;
}

/**
 * The result for a file: its new end, why it can't be indexed, why it could not be read, or `later`
 * if there was no time.
 */
export type Indexed =
  | { readonly kind: "ok"; readonly end: IndexEnd }
  | { readonly kind: "none"; readonly why: string; readonly about: NotIndexable["about"] }
  | { readonly kind: "failed"; readonly why: string }
  | { readonly kind: "later" };

/** Makes the chunk indexes of files, one at a time. */
export interface ChunkIndexer {
  /**
   * Indexes a file that nobody writes to.
   *
   * @param path where it is
   */
  index(path: string, how?: IndexHow): Promise<Indexed>;
  /**
   * Says that the program has nothing else to do: from now on files need not wait for the worker.
   */
  hurry(): void;
  /** Gives up what is not done, with the result `later`; nothing more is indexed. */
  stop(): void;
}

/** How a file is indexed. */
export interface IndexHow {
  /** Whether the file may wait behind any number of others. */
  readonly mayWait?: boolean;
  /** Gives it up. */
  readonly signal?: AbortSignal;
}

/** How many files may wait for their index, besides those that `mayWait`. */
const MAX_WAITING = 16;
/** Files up to this length, in bytes, are indexed in a few milliseconds, in this thread. */
const SMALL_BYTES = 256 * 1024;
const LATER: Indexed = { kind: "later" };

/**
 * Makes an indexer.
 *
 * @param adapter reads the files
 * @param startWorker makes the worker; left out, all is done in this thread
 */
export function chunkIndexer(
  adapter: FileReadAdapter,
  startWorker: (() => Worker) | undefined,
): ChunkIndexer {
  const stopping = new AbortController();
  let worker: Worker | undefined;
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();
  let isHurried = false;

  async function indexNow(path: string, signal: AbortSignal): Promise<Indexed> {
    if (signal.aborted) return LATER;
    try {
      const file = await adapter.openAt(path);
      try {
        // Else a worker would be started that nobody ends any more.
        if (signal.aborted) return LATER;
        if (startWorker !== undefined && !isHurried && file.size > SMALL_BYTES) {
          const indexed = await inWorker(worker ??= startWorker(), path, signal, () => {
            worker?.terminate();
            worker = undefined;
          });
          if (indexed !== undefined) return indexed;
          // The worker ended or could not be started, for example because it may not read its own
          // code.
          startWorker = undefined;
        }
        return indexedFile(await indexFile(file, { signal }));
      } finally {
        await file.close();
      }
    } catch (error) {
      if (signal.aborted) return LATER;
      if (error instanceof NotIndexable) return notIndexable(error);
      return { kind: "failed", why: reason(error) };
    }
  }

  return {
    async index(path, { mayWait = false, signal: own } = {}) {
      const { signal: all } = stopping;
      const signal = own === undefined ? all : AbortSignal.any([own, all]);
      if (!mayWait && waiting >= MAX_WAITING) return LATER;
      if (!mayWait) waiting++;
      const before = last;
      const indexing = (async () => {
        await before;
        return await indexNow(path, signal);
      })();
      last = indexing;
      try {
        // Not by a race with one promise for all: that would keep what each file got until the end.
        return await untilAborted(all, indexing).catch((error) => {
          if (all.aborted) return LATER;
          throw error;
        });
      } finally {
        if (!mayWait) waiting--;
      }
    },
    hurry() {
      isHurried = true;
      last = Promise.resolve();
    },
    stop() {
      stopping.abort();
      worker?.terminate();
      worker = undefined;
    },
  };
}

/** The answer for an indexed file, also of the worker. */
export function indexedFile(
  { footer, messagesEnd }: Awaited<ReturnType<typeof indexFile>>,
): Indexed {
  const { header, rest } = footer.endAt(messagesEnd);
  return { kind: "ok", end: { header, rest, messagesEnd, chunks: footer.chunks } };
}

/** The answer for a file that can't be indexed, also of the worker. */
export function notIndexable({ why, about }: NotIndexable): Indexed {
  return { kind: "none", why, about };
}

function inWorker(
  worker: Worker,
  path: string,
  signal: AbortSignal,
  giveUp: () => void,
): Promise<Indexed | undefined> {
  const { promise, resolve } = Promise.withResolvers<Indexed | undefined>();
  const stop = () => {
    giveUp();
    resolve(LATER);
  };
  signal.addEventListener("abort", stop);
  worker.onmessage = ({ data }: MessageEvent<Indexed>) => resolve(data);
  worker.onerror = (event) => {
    event.preventDefault();
    giveUp();
    resolve(undefined);
  };
  worker.postMessage(path);
  return promise.finally(() => signal.removeEventListener("abort", stop));
}

/** Starts the worker. */
export function startIndexWorker(): Worker {
  return new Worker(new URL("./_index_worker.ts", import.meta.url), { type: "module" });
}

/**
 * Indexes in a worker if the files are those of the runtime; other files can only be read in this
 * thread.
 */
export async function startIndexer(adapter: FileAdapter): Promise<ChunkIndexer> {
  const own = await loadFileAdapter().catch(() => undefined);
  return chunkIndexer(adapter, own === adapter ? startIndexWorker : undefined);
}
