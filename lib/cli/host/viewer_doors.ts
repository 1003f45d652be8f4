/**
 * The doors for viewers at the port of the SDKs.
 *
 * @module
 */
import type { TcpConnection } from "../../adapters/tcp/types.ts";
import type { AnswerInfo } from "../../comms/grpc/service.ts";
import type { CallPeer, Doors } from "../../server/doors.ts";
import type { HttpDoor, MessageReaders, ServeHttpOptions } from "../../viewers/mod.ts";

/** Who answers behind the doors. */
export interface Served {
  readonly readers: MessageReaders;
  readonly fetch: ServeHttpOptions["fetch"];
  readonly onError: (error: unknown) => void;
}

/** The doors of the server; those who answer behind them are started later. */
export class ViewerDoors implements Doors {
  readonly #served = Promise.withResolvers<Served>();
  #readers: MessageReaders | undefined;
  #door: Promise<HttpDoor> | undefined;

  /** Opens the doors: callers are answered from now on, also those that have waited. */
  open(served: Served): void {
    this.#readers = served.readers;
    this.#served.resolve(served);
  }

  async http(connection: TcpConnection, first: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#door ??= this.#served.promise.then(async (served) => {
      const { httpDoor } = await import("../../viewers/mod.ts");
      const { fetch, onError } = served;
      return await httpDoor({ fetch, onError });
    });
    const door = await this.#door;
    await door.take(connection, first);
  }

  readMessages(info: AnswerInfo, peer: CallPeer): AsyncIterable<readonly Uint8Array[]> {
    // A generator around another one takes every piece through more promises.
    return this.#readers?.read(info, peer) ?? this.#readLater(info, peer);
  }

  async *#readLater(
    info: AnswerInfo,
    peer: CallPeer,
  ): AsyncGenerator<readonly Uint8Array[], void> {
    const { readers } = await this.#served.promise;
    yield* readers.read(info, peer);
  }

  async mayReadTables(info: AnswerInfo): Promise<void> {
    const { readers } = await this.#served.promise;
    readers.admit(info);
  }

  /** Cuts the connections that are left. */
  async cut(): Promise<void> {
    const door = await this.#door?.catch(() => undefined);
    await door?.close();
  }
}
