/**
 * `rrd route`: recordings under other ids, their data untouched.
 *
 * @module
 */
import type { Encoded } from "../../encoding/message_parts.ts";
import { withOtherMsgpackIds } from "../../encoding/msgpack/with_other_ids.ts";
import { withOtherIds } from "../../encoding/protobuf/with_other_ids.ts";
import { EXIT } from "../exit_codes.ts";
import { plural } from "../../base/plural.ts";
import type { RrdContext } from "./context.ts";
import { partsOver } from "./input.ts";
import type { RrdOptions } from "./options.ts";
import { openOutput } from "./output.ts";
import { RecordingFile } from "./recording_file.ts";
import { tellWritten } from "./written.ts";

/** Runs the command; of several files, which become one recording, no blueprint is activated. */
export async function route(options: RrdOptions, context: RrdContext): Promise<number> {
  const { process, progress } = context;
  const path = options.output ?? "-";
  const output = await openOutput(path, options.files, context, options.force);
  const file = new RecordingFile(path, output);
  const isJoined = options.files.length > 1 && options.recordingId !== undefined;
  let dropped = 0;
  for (const input of options.files) {
    for await (const batch of partsOver(input, options, context)) {
      for (const part of batch) {
        if (part.kind !== "message") {
          await file.add(part);
          continue;
        }
        const { kind, encoded } = part.msg;
        if (isJoined && kind === "BlueprintActivationCommand") dropped++;
        else await file.write({ encoded: routed(encoded, options) });
      }
    }
  }
  await file.finish(process);
  progress.done();
  const left = dropped === 0 ? "" : `; ${plural(dropped, "blueprint activation")} left out`;
  tellWritten(file, options, context, { counts: { dropped_activations: dropped }, more: left });
  return EXIT.ok;
}

function routed(encoded: Encoded, options: RrdOptions): Encoded {
  const { serializer } = encoded.header;
  return serializer === "protobuf"
    ? withOtherIds(encoded, options)
    : withOtherMsgpackIds(encoded, options);
}
