import { ReceiverTaken } from "../../base/errors.ts";
import { Announced } from "../../encoding/announced.ts";
import type { SmartChannel } from "./smart_channel.ts";
import type { SmartMessage } from "./smart_message.ts";

/** The receiving end of a smart channel: one loop at a time, one by one or in batches. */
export class Receiver implements AsyncIterable<SmartMessage> {
  readonly #channel: SmartChannel;
  readonly #cancel: (reason: unknown) => void | Promise<void>;
  readonly #announced = new Announced();
  #readable: ReadableStream<SmartMessage[]> | undefined;
  #taken = false;
  #wasTaken = false;

  /**
   * @param channel where the messages wait
   * @param cancel called when a reader of {@linkcode Receiver.readable} wants no more
   */
  constructor(channel: SmartChannel, cancel: (reason: unknown) => void | Promise<void>) {
    this.#channel = channel;
    this.#cancel = cancel;
  }

  /**
   * Receives one by one.
   *
   * @throws {ReceiverTaken} if another loop is receiving
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<SmartMessage> {
    return this.#iterate(() => this.#take(1)?.[0]);
  }

  /**
   * Receives in batches, each of one client.
   *
   * @throws {ReceiverTaken} if another loop is receiving
   */
  batches(): AsyncIterableIterator<SmartMessage[]> {
    return this.#iterate(() => this.#take());
  }

  /**
   * Announcements are noted for the whole server, because an SDK that connects again does not
   * announce its recording again.
   */
  #take(most?: number): SmartMessage[] | undefined {
    const batch = this.#channel.take(most);
    if (batch === undefined) return undefined;
    for (const { payload } of batch) {
      if (payload.type === "msg") this.#announced.tellOne(payload.msg);
    }
    return batch;
  }

  /**
   * The batches as a stream, each time the same; canceling it ends the server.
   *
   * It becomes the receiver at its first read, and errors with {@linkcode ReceiverTaken} if there is one.
   */
  readable(): ReadableStream<SmartMessage[]> {
    return this.#readable ??= this.#stream();
  }

  /** Whether anybody ever received. */
  get wasTaken(): boolean {
    return this.#wasTaken;
  }

  #stream(): ReadableStream<SmartMessage[]> {
    let batches: AsyncIterator<SmartMessage[]> | undefined;
    return new ReadableStream({
      pull: async (controller) => {
        batches ??= this.batches();
        const { done, value } = await batches.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async (reason) => {
        await batches?.return?.();
        await this.#cancel(reason);
      },
    }, { highWaterMark: 0 });
  }

  #iterate<T>(take: () => T | undefined): AsyncIterableIterator<T> {
    if (this.#taken) throw new ReceiverTaken();
    this.#taken = this.#wasTaken = true;
    const channel = this.#channel;
    let over = false;
    const end = (): IteratorResult<T> => {
      if (!over) this.#taken = false;
      over = true;
      return { done: true, value: undefined };
    };
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      async next() {
        while (!over) {
          const value = take();
          if (value !== undefined) return { done: false, value };
          if (channel.ended) break;
          await channel.ready();
        }
        return end();
      },
      return: () => Promise.resolve(end()),
    };
  }
}
