import { checkGiven, hasMethods } from "../base/check_arguments.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import type { MessageSource, SmartMessage } from "../flow/channel/smart_message.ts";
import type { Tally } from "../base/tally.ts";
import { checkSink, type Sink } from "./sink.ts";

/**
 * A sink that gets some of the messages, and hears of every client that leaves.
 *
 * @param predicate whether the sink gets a message of that client
 * @param sink which gets them; it is closed with this one
 * @throws {TypeError} if one of them is missing; `write` does so if the predicate is asynchronous
 *
 * @example
 * ```ts
 * import { filterSink, memoryFiles, rrdFileSink } from "@rerelay/server/sinks";
 * import { assertEquals } from "@std/assert";
 *
 * const file = await rrdFileSink({ path: "arm.rrd", files: memoryFiles() });
 * const sink = filterSink((msg) => msg.applicationId === "arm", file);
 * await sink.write([]); // here: what fanOut gives
 * await sink.close();
 * assertEquals(file.saved[0]?.messages, 0);
 * ```
 */
export function filterSink(
  predicate: (msg: LogMsg, source: MessageSource) => boolean,
  sink: Sink,
): Sink {
  const isFunction = typeof predicate === "function";
  checkGiven("filterSink", "a function that says which messages", isFunction, predicate);
  checkSink("filterSink", sink);
  return new FilterSink(predicate, sink);
}

class FilterSink implements Sink {
  readonly #predicate: (msg: LogMsg, source: MessageSource) => boolean;
  readonly #sink: Sink;

  constructor(predicate: (msg: LogMsg, source: MessageSource) => boolean, sink: Sink) {
    this.#predicate = predicate;
    this.#sink = sink;
  }

  get name(): string {
    return this.#sink.name;
  }

  get lost(): Tally | undefined {
    return this.#sink.lost;
  }

  get failed(): boolean {
    return this.#sink.failed ?? false;
  }

  write(batch: readonly SmartMessage[]): Promise<void> | void {
    const some = batch.filter(({ source, payload }) =>
      payload.type !== "msg" || isWanted(this.#predicate(payload.msg, source))
    );
    if (some.length > 0 || batch.length === 0) return this.#sink.write(some);
  }

  close(): Promise<void> {
    return this.#sink.close();
  }
}

/** Checks an answer of the predicate: a promise would count as true, whatever it resolves to. */
function isWanted(answer: unknown): boolean {
  const isPromise = hasMethods(answer, "then");
  checkGiven("filterSink", "a function that gives true or false at once", !isPromise, answer);
  return Boolean(answer);
}
