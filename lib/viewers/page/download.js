/** Downloads that show their progress, and go on where a connection broke. */
import { make } from "./dom.js";

/** Larger files, in bytes, are left to the browser, which writes them to the disk directly. */
export const MAX_BYTES = 2 ** 31;
/** Bytes that are kept in memory before they become a `Blob`, which may be on the disk. */
const PIECE_BYTES = 2 ** 23;
const MAX_TRIES = 5;
const RETRY_MS = 1000;

/** The server refused the download: trying again would change nothing. */
class Refused extends Error {}

/**
 * Downloads a file under its name.
 *
 * @param {string} url
 * @param {string} name
 * @param {(share: number) => void} progress called with the part that has arrived, 0 to 1
 * @param {AbortSignal} signal
 */
export async function download(url, name, progress, signal) {
  const blob = await new Transfer(url, progress, signal).whole();
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

class Transfer {
  /** @type {Blob[]} */
  #parts = [];
  /** @type {Uint8Array<ArrayBuffer>[]} bytes that are in none of the parts yet */
  #rest = [];
  #restBytes = 0;
  /** How much has arrived, in bytes. */
  #at = 0;
  #tag = "";
  #tries = 0;

  /**
   * @param {string} url
   * @param {(share: number) => void} progress
   * @param {AbortSignal} signal
   */
  constructor(url, progress, signal) {
    this.url = url;
    this.progress = progress;
    this.signal = signal;
  }

  /** Gives the whole file, however often the connection breaks for a while. */
  async whole() {
    for (;;) {
      try {
        await this.#more();
        this.#gather();
        return new Blob(this.#parts, { type: "application/octet-stream" });
      } catch (error) {
        const isOver = error instanceof Refused || this.signal.aborted;
        if (isOver || ++this.#tries === MAX_TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS * this.#tries));
      }
    }
  }

  async #more() {
    const { signal } = this;
    const headers = this.#at === 0 ? {} : { range: `bytes=${this.#at}-`, "if-range": this.#tag };
    const response = await fetch(this.url, { cache: "no-store", headers, signal });
    if (!response.ok) throw new Refused((await response.text()).trim());
    // Nothing has arrived yet, or the server has another file under this name by now.
    if (response.status !== 206) {
      this.#parts = [];
      this.#rest = [];
      this.#at = this.#restBytes = 0;
    }
    this.#tag = response.headers.get("etag") ?? "";
    const total = this.#at + Number(response.headers.get("content-length"));
    const reader = response.body?.getReader();
    for (let read = await reader?.read(); read?.value !== undefined; read = await reader?.read()) {
      this.#rest.push(read.value);
      this.#restBytes += read.value.length;
      this.#at += read.value.length;
      this.#tries = 0;
      if (this.#restBytes >= PIECE_BYTES) this.#gather();
      this.progress(total > 0 ? this.#at / total : 0);
    }
    if (this.#at < total) throw new Error("The link broke");
  }

  #gather() {
    this.#parts.push(new Blob(this.#rest));
    this.#rest = [];
    this.#restBytes = 0;
  }
}
