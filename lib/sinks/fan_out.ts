/**
 * One receiver, many sinks.
 *
 * @module
 */
import { checkCallable, checkGiven, checkOptions, hasMethods } from "../base/check_arguments.ts";
import { addTo, newTally, type RunningTally, type Tally } from "../base/tally.ts";
import { reason } from "../base/errors.ts";
import type { SmartMessage } from "../flow/channel/smart_message.ts";
import { type Log, silentLog } from "../base/log.ts";
import { checkSink, type Sink, tallyOf } from "./sink.ts";
import { plural } from "../base/plural.ts";

/** How a sink did. */
export interface SinkStats {
  /** Name of the sink. */
  readonly name: string;
  /** What it could not keep. */
  readonly lost: Tally;
  /** Whether anything went wrong with it; the command line then ends with exit code 1. */
  readonly failed: boolean;
}

/** The single receiver of a server. */
export interface FanOut {
  /**
   * Hands each batch to every sink, until the batches end or `close` is called; takes the next one
   * when all sinks' writes have settled.
   *
   * @param batches such as `server.batches()`
   */
  receive(batches: AsyncIterable<readonly SmartMessage[]>): Promise<void>;
  /** Takes no further batch and closes all sinks, once; a batch being written is cut. Never rejects. */
  close(): Promise<void>;
  /** How each sink did so far, in their order. */
  readonly stats: readonly SinkStats[];
}

/**
 * Joins sinks to one receiver: what fails in one stops neither the others nor the receiving.
 *
 * A failing sink is reported when it begins to fail and when it works again, not at each batch.
 *
 * @param sinks in the order in which each batch is handed to them
 * @param options where failures are reported
 * @throws {TypeError} if they are no sinks, or there is no such option
 *
 * @example
 * ```ts
 * import { fanOut, type Sink } from "@rerelay/server/sinks";
 * import { assertEquals } from "@std/assert";
 *
 * let quits = 0;
 * const counter: Sink = {
 *   name: "counter",
 *   write: (batch) => void (quits += batch.length),
 *   close: () => Promise.resolve(),
 * };
 * const quit = { source: { kind: "tcp-client", id: 1 }, payload: { type: "quit" }, time: 0 } as const;
 * const receiver = fanOut([counter]);
 * await receiver.receive((async function* () {
 *   yield [quit, quit];
 * })());
 * await receiver.close();
 * assertEquals(quits, 2);
 * assertEquals(receiver.stats, [
 *   { name: "counter", lost: { messages: 0, bytes: 0 }, failed: false },
 * ]);
 * ```
 */
export function fanOut(sinks: readonly Sink[], options: { readonly log?: Log } = {}): FanOut {
  checkGiven("fanOut", "a list of sinks, such as [hub]", Array.isArray(sinks), sinks);
  for (const sink of sinks) checkSink("fanOut", sink);
  checkOptions("fanOut", options, { log: true });
  checkCallable(options);
  const branches = sinks.map((sink) => new Branch(sink, options.log ?? silentLog));
  let closing: Promise<void> | undefined;
  return {
    async receive(batches) {
      const gives = hasMethods(batches, Symbol.asyncIterator) ||
        hasMethods(batches, Symbol.iterator);
      checkGiven("receive", "batches, such as server.batches()", gives, batches);
      if (closing !== undefined) return;
      for await (const batch of batches) {
        const writes = branches.map((branch) => branch.write(batch)).filter((w) => w !== undefined);
        if (writes.length > 0) await Promise.all(writes);
        if (closing !== undefined) break;
      }
    },
    close() {
      closing ??= Promise.all(branches.map((branch) => branch.close())).then(() => {});
      return closing;
    },
    get stats() {
      return branches.map((branch) => branch.stats);
    },
  };
}

/** A sink with what went wrong with it. */
class Branch {
  #lost = { messages: 0, bytes: 0 };
  #failed = false;
  /** What was lost since the sink began to fail; `undefined` while it works. */
  #failing: RunningTally | undefined;

  constructor(readonly sink: Sink, readonly log: Log) {}

  get stats(): SinkStats {
    const lost = this.sink.lost ?? this.#lost;
    return {
      name: this.sink.name,
      lost: { messages: lost.messages, bytes: lost.bytes },
      failed: this.#failed || this.sink.failed === true || lost.messages > 0,
    };
  }

  /** Never throws nor rejects. */
  write(batch: readonly SmartMessage[]): Promise<void> | undefined {
    try {
      const done = this.sink.write(batch);
      if (done !== undefined) {
        return done.then(() => this.#works(), (error) => this.#fails(error, batch));
      }
      this.#works();
    } catch (error) {
      this.#fails(error, batch);
    }
    return undefined;
  }

  /** Never rejects. */
  async close(): Promise<void> {
    try {
      await this.sink.close();
    } catch (error) {
      this.#failed = true;
      this.log.write("error", `${this.sink.name} was not closed cleanly: ${reason(error)}`);
    }
    const { messages, bytes } = this.stats.lost;
    if (messages > 0) {
      const text = `${this.sink.name} lost ${plural(messages, "message")} (${
        plural(bytes, "byte")
      })`;
      this.log.write("error", text, { sink: this.sink.name, messages, bytes });
    }
  }

  #works(): void {
    if (this.#failing === undefined) return;
    const { messages, bytes } = this.#failing;
    this.#failing = undefined;
    const text = `${this.sink.name} works again, having lost ${plural(messages, "message")} (${
      plural(bytes, "byte")
    })`;
    const kind = `${this.sink.name} works`;
    this.log.write("warn", text, { sink: this.sink.name, messages, bytes, kind });
  }

  #fails(error: unknown, batch: readonly SmartMessage[]): void {
    const { messages, bytes } = tallyOf(batch);
    this.#failed = true;
    this.#lost.messages += messages;
    this.#lost.bytes += bytes;
    if (this.#failing === undefined) {
      const text =
        `${this.sink.name} failed and lost ${plural(messages, "message")} (${
          plural(bytes, "byte")
        }): ` +
        reason(error);
      const kind = `${this.sink.name} fails`;
      this.log.write("error", text, { sink: this.sink.name, messages, bytes, kind });
      this.#failing = newTally();
    }
    addTo(this.#failing, { messages, bytes });
  }
}
