/** A viewer behind a link, and what came to it when. */
import { type Door, readDoor, type Reader } from "./door_readers.ts";
import { queuedTowards } from "./kernel_queues.ts";
import { type Mark, Marks } from "./robot_packets.ts";
import type { Link } from "./links_process.ts";
import type { LinkOptions } from "./slow_link.ts";

/** How a viewer is connected. */
export interface Connection extends LinkOptions {
  readonly name: string;
}

/** One viewer. */
export class LinkedViewer {
  /** Ages of pictures and points when they came, in milliseconds, and when that was. */
  readonly heavy: { readonly ms: number; readonly ageMs: number }[] = [];
  readonly scalarAges: number[] = [];
  /** Which kinds came, by frame. */
  readonly frames = new Map<number, string>();
  readonly scalars = new Set<number>();
  twice = 0;
  bytes = 0;
  /** The most that the system held for it, in bytes. */
  heldBytes = 0;
  endedMs: number | undefined;
  readonly #link: Link;
  readonly #reader: Reader;
  readonly #marks = new Marks();
  readonly #begunMs = performance.now();

  /** Connects one. */
  constructor(readonly connection: Connection, door: Door, link: Link) {
    this.#link = link;
    this.#reader = readDoor(door, link.port, (bytes) => this.#read(bytes));
    this.#reader.ended.then(() => this.endedMs = performance.now() - this.#begunMs);
  }

  /** Looks at what the system holds for it. */
  look(): void {
    this.heldBytes = Math.max(this.heldBytes, queuedTowards(this.#link.serverPorts));
  }

  close(): void {
    this.#reader.close();
  }

  #read(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    for (const mark of this.#marks.push(bytes)) this.#take(mark);
  }

  #take({ kind, frame, number, atMs }: Mark): void {
    const ageMs = Date.now() - atMs;
    if (kind === "S") {
      if (this.scalars.has(number)) this.twice++;
      this.scalars.add(number);
      this.scalarAges.push(ageMs);
      return;
    }
    const kinds = this.frames.get(frame) ?? "";
    if (kinds.includes(kind)) this.twice++;
    this.frames.set(frame, kinds + kind);
    this.heavy.push({ ms: performance.now() - this.#begunMs, ageMs });
  }
}

/** The value below which so large a share is; 0 of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
