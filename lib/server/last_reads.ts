/** More than systems hold of a connection at both of its ends together, in bytes. */
const MAX_SYSTEM_BYTES = 10 * 1024 * 1024;

/**
 * A peer that has sent all may hold megabytes that its system sends only when ours has room, in pieces
 * of at least so many bytes: many smaller ones are of a peer that goes on sending.
 */
const WINDOW_BYTES = 64 * 1024;
const MAX_SMALL_READS = 64;

/** What is still to be read of what was sent before: or so much came since that it goes on without end. */
export type Backlog = "some" | "none" | "endless";

/** What is read of a client since its server closes. */
export class LastReads {
  #bytes = 0;
  #small = 0;
  #isAll = false;

  /** Takes note of bytes that were read. */
  read(bytes: number): void {
    this.#bytes += bytes;
    if (bytes < WINDOW_BYTES) this.#small++;
  }

  /**
   * Tells what is left of what the client had sent when the server began to close.
   *
   * @param isSilent whether nothing has come for so long that there is no more
   */
  backlog(isSilent: boolean): Backlog {
    this.#isAll ||= isSilent;
    if (this.#isAll) return "none";
    const isEndless = this.#bytes >= MAX_SYSTEM_BYTES || this.#small >= MAX_SMALL_READS;
    return isEndless ? "endless" : "some";
  }
}
