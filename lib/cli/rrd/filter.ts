/**
 * `rrd filter`: keeps some recordings, entities and times, in whole chunks, and takes timelines out
 * of chunks.
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";
import { Announced } from "../../encoding/announced.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import { type Chunk, chunks } from "../../encoding/mod.ts";
import { withoutTimelines } from "../../encoding/chunks/without_timelines.ts";
import { storeOf } from "../../encoding/store_of.ts";
import { EXIT } from "../exit_codes.ts";
import type { RrdContext } from "./context.ts";
import { InputError, nameOf, partsOver } from "./input.ts";
import type { RrdOptions } from "./options.ts";
import { openOutput } from "./output.ts";
import { RecordingFile } from "./recording_file.ts";
import type { TimeRange } from "./time_range.ts";
import { tellWritten } from "./written.ts";

/** Runs the command; messages that stay keep their bytes, unless a chunk loses a timeline. */
export async function filter(options: RrdOptions, context: RrdContext): Promise<number> {
  const { process, progress } = context;
  const path = options.output ?? "-";
  const output = await openOutput(path, options.files, context, options.force);
  const file = new RecordingFile(path, output);
  let [dropped, changed, madeStatic] = [0, 0, 0];
  for (const input of options.files) {
    const announced = new Announced();
    for await (const batch of partsOver(input, options, context)) {
      for (const part of batch) {
        if (part.kind === "message") {
          announced.tellOne(part.msg);
          if (!isKept(part.msg, options, input)) {
            dropped++;
            continue;
          }
          const msg = onOtherTimelines(part.msg, options, input);
          if (msg !== part.msg) {
            changed++;
            if (msg.isStatic) madeStatic++;
            await file.add({ ...part, msg });
            continue;
          }
        }
        await file.add(part);
      }
    }
  }
  await file.finish(process);
  progress.done();
  const counts = {
    dropped_messages: dropped,
    ...(options.dropTimelines.size > 0 && { changed_chunks: changed, static_chunks: madeStatic }),
  };
  const told = options.dropTimelines.size === 0 ? "" : `, ${changed} changed`;
  const became = madeStatic === 0 ? "" : `, ${madeStatic} of them static now`;
  tellWritten(file, options, context, { counts, more: `, ${dropped} left out${told}${became}` });
  return EXIT.ok;
}

function isKept(msg: LogMsg, options: RrdOptions, input: string): boolean {
  const { recordingId, applicationId, dropEntities, timeRanges } = options;
  const store = storeOf(msg);
  // A message without a store stays.
  if (store === undefined) return true;
  if (applicationId !== undefined && msg.applicationId !== applicationId) return false;
  if (recordingId !== undefined && store.kind === "Recording" && store.id !== recordingId) {
    return false;
  }
  if (msg.kind !== "ArrowMsg" || dropEntities.size + timeRanges.length === 0) return true;
  let all: Chunk[];
  try {
    all = chunks(msg);
  } catch (error) {
    if (!(error instanceof InvalidMessage)) throw error;
    // Data that is to be left out may be in it.
    throw new InputError(nameOf(input), `a chunk can't be read: ${error.message}`, error);
  }
  const kept = all.filter((chunk) =>
    !dropEntities.has(chunk.entityPath) && timeRanges.every((range) => overlaps(chunk, range))
  );
  if (kept.length > 0 && kept.length < all.length) {
    const { major, minor, patch } = msg.encoded.header.version;
    throw new InputError(
      nameOf(input),
      `it is of SDK ${major}.${minor}.${patch}, which logs tables: one has data to leave out ` +
        "and other data, and filter takes whole messages only",
      undefined,
    );
  }
  return kept.length > 0;
}

/** Takes timelines out of a message; gives the message itself if it has none of them. */
function onOtherTimelines(
  msg: LogMsg,
  { dropTimelines }: RrdOptions,
  input: string,
): LogMsg & { readonly isStatic?: boolean } {
  if (msg.kind !== "ArrowMsg" || dropTimelines.size === 0) return msg;
  const { header } = msg.encoded;
  if (header.serializer !== "protobuf") {
    const why =
      "it is in msgpack, of which --drop-timeline takes nothing out: rrd migrate it first";
    throw new InputError(nameOf(input), why, undefined);
  }
  try {
    return withoutTimelines(msg, dropTimelines);
  } catch (error) {
    if (!(error instanceof InvalidMessage)) throw error;
    throw new InputError(nameOf(input), `a chunk can't be changed: ${error.message}`, error);
  }
}

/** Whether a chunk has a row in the range, or none at all on its timeline. */
function overlaps({ timelines }: Chunk, { timeline, from, to }: TimeRange): boolean {
  const index = timelines.find(({ name }) => name === timeline);
  if (index === undefined) return true;
  const { times, validity } = index;
  return times.some((time, i) => validity?.[i] !== 0 && time >= from && time <= to);
}
