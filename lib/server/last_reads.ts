/** More bytes than the systems at both ends of a connection hold together. */
const MAX_SYSTEM_BYTES = 10 * 1024 * 1024;

/**
 * A peer that has finished may have megabytes in its system, which sends them when ours has room,
 * in pieces of at least so many bytes. Many smaller pieces mean that the peer goes on sending.
 */
const WINDOW_BYTES = 64 * 1024;
const MAX_SMALL_READS = 64;

/**
 * Whether something is still to be read of what was sent before the close; `"endless"`: so much
 * came since that the peer must be going on.
 */
export type Backlog = "some" | "none" | "endless";

/** Watches what is read of a client after its server has begun to close. */
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
   * @param isSilent whether nothing has come for so long that nothing more is on its way
   */
  backlog(isSilent: boolean): Backlog {
    this.#isAll ||= isSilent;
    if (this.#isAll) return "none";
    const isEndless = this.#bytes >= MAX_SYSTEM_BYTES || this.#small >= MAX_SMALL_READS;
    return isEndless ? "endless" : "some";
  }
}
