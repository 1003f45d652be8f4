/**
 * Stores messages as Rerun's own `--save` does: beside the receiving, in a worker where there is one.
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
/** What a worker says once it can work: its start may take longer than the disk may lag behind. */
export const READY = "ready";

/**
 * Starts a worker; until it runs, and where there are none or it fails, compresses in line.
 *
 * @param start makes the worker
 */
export function startCompressor(start: () => Worker = startWorker): Compressor {
  let worker: Worker | undefined;
  let isReady = false;
  /** One piece at a time for each file; all in the order they were asked for. */
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
      // A copy is moved: should the worker end, the messages are compressed here.
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
