/**
 * Answers to calls: of one message, or of many.
 *
 * @module
 */
import { frameHead } from "./body.ts";
import type { CallField, CallStream } from "./call_stream.ts";
import { ACCEPTED_ENCODINGS } from "./inflate.ts";
import { trailersOf } from "./status.ts";

/**
 * Bytes of an answer that may wait to be sent before more frames are asked for, unless its stream says
 * another number: what waits there can't be left out any more, however old it becomes on a slow link.
 */
const AHEAD_BYTES = 64 * 1024;

/** The header fields of an answer. Answers are never compressed; they say how requests may be. */
const HEADERS: readonly CallField[] = [
  [":status", "200"],
  ["content-type", "application/grpc"],
  ["grpc-accept-encoding", ACCEPTED_ENCODINGS],
];

/** Sends the header fields of an answer, if they were not sent yet. */
export function beginAnswer(stream: CallStream): void {
  stream.respond(HEADERS);
}

/** Ends an answer well. */
export function endAnswer(stream: CallStream): void {
  stream.respond(HEADERS);
  stream.end(trailersOf());
}

/** Ends a call well, with one message. */
export function answerMessage(stream: CallStream, message: Uint8Array): void {
  if (!stream.isWritable) return;
  stream.respond(HEADERS);
  stream.write(frameHead(message.length));
  if (message.length > 0) stream.write(message);
  stream.end(trailersOf());
}

/** Ends a call with an error, whether its answer has begun or not. */
export function answerError(stream: CallStream, error: Error): void {
  if (!stream.isWritable) return;
  stream.respond(HEADERS);
  stream.end(trailersOf(error));
}

/**
 * Sends frames as the peer takes them, and ends the call well when they end.
 *
 * @param stream of the call
 * @param frames in parts, asked for when there is room; their bytes may not change until they are sent
 */
export async function answerFrames(
  stream: CallStream,
  frames: AsyncIterable<readonly Uint8Array[]>,
): Promise<void> {
  stream.respond(HEADERS);
  for await (const parts of frames) {
    if (!stream.isWritable) return;
    for (const part of parts) stream.write(part);
    await waitForRoom(stream);
    if (!stream.isWritable) return;
  }
  if (stream.isWritable) stream.end(trailersOf());
}

/** Resolves when more may be written, or when the stream takes nothing any more. */
export async function waitForRoom(stream: CallStream): Promise<void> {
  while (stream.isWritable && stream.queuedBytes > (stream.aheadBytes ?? AHEAD_BYTES)) {
    await new Promise<void>((resolve) => {
      stream.onRoom = resolve;
    });
    stream.onRoom = undefined;
  }
}
