/**
 * Reads once more what stands in the stream.
 *
 * @module
 */
import { type StreamMessage, StreamReader, type StreamReaderOptions } from "./stream_reader.ts";

/** Where a server that can be read sends nothing for so long, in milliseconds, there is nothing. */
const SILENT_MS = 30_000;

/**
 * Yields the messages of one subject between two numbers, both included. Ends before the last one if that
 * was removed meanwhile.
 *
 * @param options the connection
 * @param subject without wildcards
 * @param first number of the first message
 * @param last number of the last one
 * @param signal ends the reading, with its reason
 * @throws {StreamGone} if the stream is not there any more, or was made anew
 * @throws the error of the client if the connection was closed
 */
export async function* readRange(
  options: Pick<StreamReaderOptions, "nats" | "created" | "pullBytes" | "log" | "clock">,
  subject: string,
  [first, last]: readonly [first: number, last: number],
  signal: AbortSignal,
): AsyncGenerator<StreamMessage> {
  const ending = new AbortController();
  const { now, timer } = options.clock;
  let [isReading, heardMs] = [false, now()];
  // Only while the server can be read, for an outage says nothing of what is there.
  const onReading = (isNow: boolean) => [isReading, heardMs] = [isNow, now()];
  const watch = (): () => void =>
    timer(SILENT_MS, () => {
      if (isReading && now() - heardMs >= SILENT_MS) ending.abort();
      else callOff = watch();
    });
  let callOff = watch();
  const reader = new StreamReader({ ...options, subjects: [subject], after: first - 1, onReading });
  try {
    for await (const message of reader.read(AbortSignal.any([signal, ending.signal]))) {
      heardMs = now();
      if (message.seq <= last) yield message;
      if (message.seq >= last) return;
    }
    signal.throwIfAborted();
  } finally {
    callOff();
  }
}
