/**
 * Remembers which messages came or were sent lately, in memory that does not grow.
 *
 * @module
 */
import type { ArrowMsg } from "../encoding/arrow_msg.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import { xxh32 } from "../encoding/rrd/xxh32.ts";

/** How many messages share one place in the table. */
const WAYS = 8;
const PLACES = 2 ** 15;

/**
 * Remembers about the last 260,000 messages, in 4 MiB that are taken with the first one: chunks by
 * their ids, announcements and activations by what they say.
 *
 * A server asks it what of a call by which another Rerelay forwards came before. Given to `serve` and
 * to each `grpcTarget` of a program, it also knows what the program itself has sent: servers that
 * forward to each other would keep that twice, and send announcements round without end.
 *
 * @example
 * ```ts
 * import { KnownMessages, serve } from "@rerelay/server";
 * import { forwardTo, grpcTarget } from "@rerelay/server/forward";
 *
 * const known = new KnownMessages();
 * const server = await serve({ port: 0, known });
 * // Another server, which may forward to this one.
 * const forwarder = forwardTo(grpcTarget({ hostname: "10.0.0.5", port: 9876, known }));
 * await server.close();
 * await forwarder.close(AbortSignal.abort());
 * ```
 */
export class KnownMessages {
  #ids: BigUint64Array | undefined;
  #next: Uint8Array | undefined;

  /**
   * Takes note of a message that comes or is sent.
   *
   * @param msg any message; a chunk without an id is always new
   * @returns whether it is new: it neither came nor was sent before
   */
  add(msg: LogMsg): boolean {
    const key = keyOf(msg);
    if (key === undefined) return true;
    const [high, low] = key;
    const ids = this.#ids ??= new BigUint64Array(2 * WAYS * PLACES);
    const next = this.#next ??= new Uint8Array(PLACES);
    const place = Number((high ^ (high >> 17n) ^ low ^ (low >> 29n)) & BigInt(PLACES - 1));
    const at = 2 * WAYS * place;
    for (let way = 0; way < WAYS; way++) {
      if (ids[at + 2 * way] === high && ids[at + 2 * way + 1] === low) return false;
    }
    const way = next[place]!;
    next[place] = (way + 1) % WAYS;
    ids[at + 2 * way] = high;
    ids[at + 2 * way + 1] = low;
    return true;
  }

  /** Forgets all messages, because some of them may not be kept and are to be taken again. */
  clear(): void {
    this.#ids?.fill(0n);
  }
}

/** Two numbers by which a message is known again; `undefined` for one that can't be. */
function keyOf(msg: LogMsg): readonly [bigint, bigint] | undefined {
  if (msg.kind === "ArrowMsg") return chunkKey(msg);
  if (msg.kind !== "SetStoreInfo" && msg.kind !== "BlueprintActivationCommand") return undefined;
  // They are the same byte for byte, however often they are sent on.
  const { bytes } = msg.encoded;
  const [a, b, c, d] = [0, 1, 2, 3].map((seed) => BigInt(xxh32(bytes, seed)));
  return [a! << 32n | b!, c! << 32n | d!];
}

function chunkKey({ chunkId, storeId }: ArrowMsg): readonly [bigint, bigint] | undefined {
  if (chunkId === undefined) return undefined;
  // One chunk may be logged to several recordings.
  const store = BigInt(xxh32(new TextEncoder().encode(`${storeId.kind} ${storeId.id}`), 0));
  return [chunkId.timeNs ^ (store << 32n), chunkId.inc ^ store];
}
