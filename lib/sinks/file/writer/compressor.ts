/**
 * Compresses messages as Rerun's own `--save` does, in a worker if there can be one.
 *
 * @module
 */
import { compressMessages } from "../../../encoding/rrd/recompress.ts";

/** Compresses whole messages. */
export interface Compressor {
  /**
   * Compresses msgpack messages that stand one after the other.
   *
   * @param messages with their own headers
   */
  compress(messages: Uint8Array): Promise<Uint8Array>;
  /** Ends the worker. */
  close(): void;
}

type Answer = { readonly out: ArrayBuffer; readonly length: number } | { readonly error: string };
/**
 * What the worker sends once it can work; its start may take longer than the disk may lag behind.
 */
export const READY = "ready";

/**
 * Starts a worker; until it runs, and if there are no workers or it fails, messages are compressed
 * in this thread.
 *
 * @param start makes the worker
 */
export function startCompressor(start: () => Worker = startWorker): Compressor {
  let worker: Worker | undefined;
  let isReady = false;
  /** Who waits for an answer, in the order of the requests; each file has one at a time. */
  const asked: ((answer: Answer) => void)[] = [];
  const giveUp = () => {
    worker?.terminate();
    worker = undefined;
    for (const answer of asked.splice(0)) answer({ error: "the worker ended" });
  };
  try {
    worker = start();
    worker.onmessage = ({ data }: MessageEvent<Answer | typeof READY>) => {
      if (data === READY) isReady = true;
      else asked.shift()?.(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      giveUp();
    };
  } catch {
    worker = undefined;
  }
  return {
    async compress(messages) {
      if (worker === undefined || !isReady) return compressMessages(messages);
      const answer = Promise.withResolvers<Answer>();
      asked.push(answer.resolve);
      // A copy is transferred, so that the messages can be compressed here should the worker end.
      const copy = messages.slice();
      worker.postMessage(copy, [copy.buffer]);
      const given = await answer.promise;
      if ("error" in given) return compressMessages(messages);
      return new Uint8Array(given.out, 0, given.length);
    },
    close: giveUp,
  };
}

function startWorker(): Worker {
  return new Worker(new URL("./_compress_worker.ts", import.meta.url), { type: "module" });
}
