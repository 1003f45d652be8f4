import type { Backlog } from "./last_reads.ts";
import type { ClientStats } from "./client_stats.ts";

/** What the list of clients needs to know of each, whether it is a connection or a call. */
export interface ListedClient {
  /** Counts so far; nothing of a connection that only carries others, or is none of an SDK. */
  readonly stats: ClientStats | undefined;
  /** For how long bytes have been asked for in vain, in milliseconds; 0 while it must wait for us. */
  readonly silentMs: number;
  /** Bytes of memory taken for what is not whole, and for what is read next. */
  readonly unfinishedBytes: number;
  /** When that began, in milliseconds of the server's clock. */
  readonly unfinishedSince: number;
  /** Bytes that were read and wait to be looked at, or for room in the channel. */
  readonly waitingBytes: number;
  /**
   * Receives until it leaves; never rejects.
   *
   * @returns who goes on with its connection, if it spoke another protocol than was thought
   */
  run(): Promise<ListedClient | void>;
  /** Stops a read that is under way from getting bytes, or lets it go on. */
  holdReading(isHeld: boolean): void;
  /** The server closes: from now on it is told when what the peer had sent by now is read. */
  drain?(): void;
  /**
   * Whether some of that may still be to be read, or so much was read since that it goes on sending;
   * absent where that is never told.
   *
   * @param gapMs where nothing came for so many milliseconds there is no more
   */
  backlog?(gapMs: number): Backlog;
  /** Ends it if it keeps us waiting for too long; says whether it did. */
  checkDeadlines(): boolean;
  /**
   * Ends it; what was read of it is still received.
   *
   * @param why it is left; without one its end is ours
   */
  close(why?: Error): void;
  /** Ends it as `close` does, and frees at once what is held for it. */
  evict(why: Error): void;
}
