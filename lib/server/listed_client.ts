import type { Backlog } from "./last_reads.ts";
import type { ClientStats } from "./client_stats.ts";

/** What the list of clients needs to know of each, whether it is a connection or a call. */
export interface ListedClient {
  /** Counts so far; `undefined` for a connection that only carries calls, or is not an SDK's. */
  readonly stats: ClientStats | undefined;
  /** How long we have been waiting for its bytes, in milliseconds; 0 while it has to wait for us. */
  readonly silentMs: number;
  /** Bytes of memory that are taken for what is not whole, and for what is read next. */
  readonly unfinishedBytes: number;
  /** When what is not whole began, in milliseconds of the server's clock. */
  readonly unfinishedSince: number;
  /** Bytes that were read and wait to be looked at, or for room in the channel. */
  readonly waitingBytes: number;
  /**
   * Receives until it leaves; never rejects.
   *
   * @returns who goes on with its connection, if that turned out to speak another protocol
   */
  run(): Promise<ListedClient | void>;
  /** Stops a read that is under way from getting bytes, or lets it go on. */
  holdReading(isHeld: boolean): void;
  /**
   * Says that the server closes: from now on `backlog` tells whether what the peer had sent by then
   * was read.
   */
  drain?(): void;
  /**
   * Whether some of that is still to be read, or the peer goes on sending; absent where this can't
   * be told.
   *
   * @param gapMs if nothing came for so many milliseconds, nothing more is on its way
   */
  backlog?(gapMs: number): Backlog;
  /** Ends it if it keeps us waiting for too long; says whether it did. */
  checkDeadlines(): boolean;
  /**
   * Ends it; what was read of it will still be received.
   *
   * @param why it is closed; left out when the server closes
   */
  close(why?: Error): void;
  /** Ends it as `close` does, and frees at once what is held for it. */
  evict(why: Error): void;
}
