/**
 * Tables that SDKs send with `send_table`, kept for viewers that read them.
 *
 * @module
 */
import { frameHead } from "../comms/grpc/body.ts";
import type { TableMessage } from "../comms/grpc/message_proxy.ts";

/** Tables are kept up to so many bytes in all; the oldest go. */
const MAX_BYTES = 64 * 1024 * 1024;

/** What an entry takes beside its bytes: so a flood of tiny tables is bounded, too. */
const OVERHEAD_BYTES = 1024;

/** The latest of each table, and who waits for more. */
export class GrpcTables {
  /** The one that came last at the end. */
  readonly #tables = new Map<string, TableMessage>();
  #bytes = 0;
  #changed = Promise.withResolvers<void>();
  #isOver = false;

  /** Bytes that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps a table in place of the one with the same name. */
  write(table: TableMessage): void {
    this.#remove(table.id);
    this.#tables.set(table.id, table);
    this.#bytes += sizeOf(table);
    for (const id of this.#tables.keys()) {
      if (this.#bytes <= MAX_BYTES) break;
      this.#remove(id);
    }
    this.#wake();
  }

  /** Those that read get no more. */
  close(): void {
    this.#isOver = true;
    this.#wake();
  }

  /**
   * What is kept, then what comes.
   *
   * @param signal aborts when nobody reads any more
   * @returns frames; each table once for every time that it was written while it was read
   */
  async *read(signal: AbortSignal): AsyncGenerator<readonly Uint8Array[]> {
    const seen = new Map<string, TableMessage>();
    const gone = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    while (!signal.aborted) {
      const changed = this.#changed.promise;
      for (const id of seen.keys()) if (!this.#tables.has(id)) seen.delete(id);
      for (const [id, table] of [...this.#tables]) {
        if (seen.get(id) === table) continue;
        seen.set(id, table);
        yield [frameHead(table.bytes.length), table.bytes];
        if (signal.aborted) return;
      }
      if (this.#isOver) return;
      await Promise.race([changed, gone]);
    }
  }

  #remove(id: string): void {
    const table = this.#tables.get(id);
    if (table === undefined) return;
    this.#tables.delete(id);
    this.#bytes -= sizeOf(table);
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

function sizeOf({ id, bytes }: TableMessage): number {
  return 2 * id.length + bytes.length + OVERHEAD_BYTES;
}
