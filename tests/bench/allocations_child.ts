/**
 * Says how much memory the server takes for what comes in, by counting and not by the clock:
 *
 *     allocations_child.ts FILE
 *
 * The stream comes three times from memory, by a connection of its own each time; the last counts.
 * On Bun it must run with `BUN_JSC_useGC=0`, or a collection hides what was taken.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { getHeapStatistics } from "node:v8";
import type { NetAddr } from "../../lib/base/net_addr.ts";
import type { TcpAdapter, TcpConnection } from "../../lib/adapters/tcp/types.ts";
import { Server } from "../../lib/server/server.ts";
import { silentLog } from "../../mod.ts";
import { say } from "../contract/child.ts";

/** What one pass took. */
export interface Allocations {
  readonly messages: number;
  readonly bytes: number;
  /** Objects of all kinds, without the bytes of buffers. */
  readonly heapBytes: number;
  /** Buffers made by the server, those that it is given by the socket not counted. */
  readonly bufferBytes: number;
}

/** As large as a read gets. */
const READ_BYTES = 256 * 1024;

const native = { Uint8Array, ArrayBuffer };
let bufferBytes = 0;

/** Counts buffers that are made with a length, and copies. */
function countBuffers(): void {
  const counted = <T extends Uint8ArrayConstructor | ArrayBufferConstructor>(type: T): T =>
    new Proxy(type, {
      construct(target, args) {
        if (typeof args[0] === "number") bufferBytes += args[0];
        else if (ArrayBuffer.isView(args[0])) bufferBytes += args[0].byteLength;
        return Reflect.construct(target, args);
      },
    });
  globalThis.Uint8Array = counted(native.Uint8Array);
  globalThis.ArrayBuffer = counted(native.ArrayBuffer);
  const { slice } = native.Uint8Array.prototype;
  native.Uint8Array.prototype.slice = function (start, end) {
    const copy = slice.call(this, start, end);
    bufferBytes += copy.length;
    return copy as ReturnType<typeof slice>;
  };
}

/** Bytes of the heap ever taken, which a collection does not lower. */
async function heapCounter(): Promise<() => number> {
  if (process.versions["bun"] === undefined) {
    return () => (getHeapStatistics() as { total_allocated_bytes?: number }).total_allocated_bytes!;
  }
  const name = "bun:jsc";
  const { heapStats } = await import(name);
  return () => heapStats().heapCapacity - bufferBytes; // it counts them too
}

/** A connection that gives these chunks: on Deno it fills the buffer it is handed, as the socket does. */
function connection(chunks: readonly Uint8Array[]): TcpConnection {
  const fills = process.versions["bun"] === undefined;
  let [at, from] = [0, 0];
  return {
    readable: new ReadableStream(),
    read(into) {
      const rest = chunks[at]?.subarray(from);
      if (rest === undefined) return Promise.resolve(undefined);
      const length = fills && into !== undefined ? Math.min(into.length, rest.length) : rest.length;
      from += length;
      if (from === chunks[at]!.length) [at, from] = [at + 1, 0];
      if (!fills || into === undefined) return Promise.resolve(rest);
      into.set(rest.subarray(0, length));
      return Promise.resolve(into.subarray(0, length));
    },
    write: () => Promise.resolve(),
    setNoDelay() {},
    close() {},
  };
}

function chunksOf(file: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < file.length; at += READ_BYTES) {
    const chunk = new native.Uint8Array(file.subarray(at, at + READ_BYTES));
    // Bun counts the memory of an array once it has a buffer of its own.
    chunks.push(new native.Uint8Array(chunk.buffer));
  }
  return chunks;
}

const file = readFileSync(process.argv[2]!);
const chunks = chunksOf(file);
const offered: ((given: TcpConnection | undefined) => void)[] = [];
const tcp: TcpAdapter = {
  listen: (addr: NetAddr) =>
    Promise.resolve({
      addr,
      accept: () => new Promise<TcpConnection | undefined>((resolve) => offered.push(resolve)),
      close: () => offered.splice(0).forEach((resolve) => resolve(undefined)),
    }),
};
const heapBytes = await heapCounter();
countBuffers();
await using server = await Server.listen(tcp, { port: 0, log: silentLog, reuseBuffers: true });
const batches = server.batches()[Symbol.asyncIterator]();

async function pass(): Promise<Allocations> {
  const before = { heap: heapBytes(), buffers: bufferBytes };
  let messages = 0;
  offered.shift()!(connection(chunks));
  for (let left = false; !left;) {
    for (const { payload } of (await batches.next()).value!) {
      if (payload.type === "msg") messages++;
      else if (payload.error) throw payload.error;
      else left = true;
    }
  }
  return {
    messages,
    bytes: file.length,
    heapBytes: heapBytes() - before.heap,
    bufferBytes: bufferBytes - before.buffers,
  };
}

await pass();
await pass();
say(await pass());
process.exit();
