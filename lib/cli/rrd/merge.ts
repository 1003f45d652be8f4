/**
 * `rrd merge`: several files into one.
 *
 * @module
 */
import { RepeatedMessages } from "../../recordings/repeated_messages.ts";
import { EXIT } from "../exit_codes.ts";
import { partsOver } from "./input.ts";
import type { RrdContext } from "./context.ts";
import type { RrdOptions } from "./options.ts";
import { openOutput } from "./output.ts";
import { RecordingFile } from "./recording_file.ts";
import { repeatedText, tellWritten } from "./written.ts";

/** Runs the command; messages keep the order of the files; blueprints and static data come once. */
export async function merge(options: RrdOptions, context: RrdContext): Promise<number> {
  const { process, progress } = context;
  const path = options.output ?? "-";
  const output = await openOutput(path, options.files, context, options.force);
  const file = new RecordingFile(path, output);
  const repeated = new RepeatedMessages();
  for (const input of options.files) {
    repeated.nextFile();
    for await (const batch of partsOver(input, options, context)) {
      for (const part of batch) {
        if (part.kind === "message" && await repeated.has(part.msg)) continue;
        await file.add(part);
      }
    }
  }
  await file.finish(process);
  progress.done();
  const { leftOut } = repeated;
  const counts = { repeated_messages: leftOut };
  tellWritten(file, options, context, { counts, more: repeatedText(leftOut) });
  return EXIT.ok;
}
