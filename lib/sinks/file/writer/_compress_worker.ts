/**
 * The worker that compresses what it is sent.
 *
 * @module
 */
import { READY } from "./compressor.ts";
import { compressMessages } from "../../../encoding/rrd/recompress.ts";

const self = globalThis as unknown as {
  onmessage: (event: MessageEvent<Uint8Array>) => void;
  postMessage(message: unknown, transfer?: Transferable[]): void;
};

self.postMessage(READY);
self.onmessage = ({ data }) => {
  try {
    const { buffer, length } = compressMessages(data);
    self.postMessage({ out: buffer, length }, [buffer]);
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};
