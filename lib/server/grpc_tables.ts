/**
 * Tables that SDKs send with `send_table`, kept for viewers that read them.
 *
 * @module
 */
import { frameHead } from "../comms/grpc/body.ts";
import type { TableMessage } from "../comms/grpc/message_proxy.ts";
import { GrpcError, STATUS } from "../comms/grpc/status.ts";
import { MAX_AHEAD_BYTES } from "../comms/h2/drive.ts";

/** Bytes of all tables that are kept; beyond that the oldest are forgotten. */
const MAX_BYTES = 64 * 1024 * 1024;

/** What an entry takes besides its bytes, so that a flood of tiny tables is bounded, too. */
const OVERHEAD_BYTES = 1024;

/** How many viewers may read at once: each has its own copies of what waits to be sent. */
const MAX_READERS = 256;

/** Bytes that a reader is given at once. */
const PIECE_BYTES = 64 * 1024;

/** Bytes that wait at most for a reader that does not take them. */
const READER_BYTES = MAX_AHEAD_BYTES + PIECE_BYTES;

/** A table, and when it was written. */
interface Entry {
  readonly table: TableMessage;
  readonly number: number;
  /** How many readers are in the midst of it. */
  readers: number;
}

/** One reader of tables, as the account of memory sees it. */
export interface TableReader {
  /** Bytes held for it alone; 0 while it has taken all. */
  readonly unfinishedBytes: number;
  /** Called when these bytes may have become more. */
  onHeld: () => void;
}

/** The latest state of each table, and the readers that wait for more. */
export class GrpcTables {
  /** By name; the one that was written last is at the end. */
  readonly #tables = new Map<string, Entry>();
  #bytes = 0;
  #written = 0;
  readonly #readers = new Set<Reader>();
  #changed = Promise.withResolvers<void>();
  #isOver = false;

  /** Bytes that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps a table in place of the one with the same name. */
  write(table: TableMessage): void {
    this.#remove(table.id);
    this.#tables.set(table.id, { table, number: ++this.#written, readers: 0 });
    this.#bytes += sizeOf(table);
    for (const id of this.#tables.keys()) {
      if (this.#bytes <= MAX_BYTES) break;
      this.#remove(id);
    }
    for (const reader of [...this.#readers]) reader.onHeld();
    this.#wake();
  }

  /** Ends all readers: they get no more tables. */
  close(): void {
    this.#isOver = true;
    this.#wake();
  }

  /**
   * Gives a reader the tables that are kept, and then those that are written.
   *
   * @param signal aborts when nobody reads any more
   * @param onReader is given the reader, which is over when the signal aborts or the frames end; not
   * called for a signal that has aborted already, whose end nobody would be told
   * @returns frames in pieces; each table once for every time that it was written while it was read
   * @throws {GrpcError} RESOURCE_EXHAUSTED if there are too many readers
   */
  read(
    signal: AbortSignal,
    onReader: (reader: TableReader) => void = () => {},
  ): AsyncGenerator<readonly Uint8Array[]> {
    if (this.#readers.size >= MAX_READERS) {
      const text = `${MAX_READERS} viewers read tables already, which is the most`;
      throw new GrpcError(STATUS.RESOURCE_EXHAUSTED, text);
    }
    const reader = new Reader(this.#tables);
    if (!signal.aborted) onReader(reader);
    return this.#read(signal, reader);
  }

  async *#read(signal: AbortSignal, reader: Reader): AsyncGenerator<readonly Uint8Array[]> {
    this.#readers.add(reader);
    try {
      // A race with a promise that lasts as long as the call would leave something there each time.
      let wake = () => {};
      signal.addEventListener("abort", () => wake(), { once: true });
      let seen = 0;
      while (!signal.aborted) {
        const changed = this.#changed.promise;
        // A table that is written meanwhile moves to the end, so this loop comes to it.
        for (const entry of this.#tables.values()) {
          if (entry.number <= seen) continue;
          seen = entry.number;
          for (const piece of reader.pieces(entry)) {
            yield piece;
            if (signal.aborted) return;
          }
        }
        if (this.#isOver || signal.aborted) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
          void changed.then(resolve);
        });
      }
    } finally {
      this.#readers.delete(reader);
      reader.isOver = true;
    }
  }

  #remove(id: string): void {
    const entry = this.#tables.get(id);
    if (entry === undefined) return;
    this.#tables.delete(id);
    this.#bytes -= sizeOf(entry.table);
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** One reader, and the tables that it keeps from being forgotten. */
class Reader implements TableReader {
  readonly #tables: ReadonlyMap<string, Entry>;
  #entry: Entry | undefined;
  isOver = false;
  onHeld: () => void = () => {};

  constructor(tables: ReadonlyMap<string, Entry>) {
    this.#tables = tables;
  }

  get unfinishedBytes(): number {
    const entry = this.#entry;
    if (entry === undefined || this.isOver) return 0;
    const { table, readers } = entry;
    // A table that is kept no more is held only for those that are in the midst of it.
    const isKept = this.#tables.get(table.id) === entry;
    return READER_BYTES + (isKept ? 0 : Math.ceil(table.bytes.length / readers));
  }

  /** A table in copied pieces: a queued view would keep all of the table in memory. */
  *pieces(entry: Entry): Generator<readonly Uint8Array[]> {
    const { bytes } = entry.table;
    this.#entry = entry;
    entry.readers++;
    this.onHeld();
    try {
      let head = [frameHead(bytes.length)];
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
        yield [...head, bytes.slice(at, at + PIECE_BYTES)];
        head = [];
      }
    } finally {
      entry.readers--;
      this.#entry = undefined;
    }
  }
}

function sizeOf({ id, bytes }: TableMessage): number {
  return 2 * id.length + bytes.length + OVERHEAD_BYTES;
}
