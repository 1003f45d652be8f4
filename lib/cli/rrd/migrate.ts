/**
 * `rrd migrate`: recordings of SDK 0.17 and later in the form that today's Rerun reads.
 *
 * @module
 */
import { Bridge, type BridgeCounts, BRIDGED_HEADER } from "../../bridge/bridge.ts";
import { RepeatedMessages } from "../../recordings/repeated_messages.ts";
import { isNewProtobuf } from "../../encoding/rrd/same_encoding.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { RrdPart } from "../../encoding/rrd/part.ts";
import { withChunkId } from "../../encoding/protobuf/with_chunk_id.ts";
import { escapeText } from "../../base/escape.ts";
import { EXIT } from "../exit_codes.ts";
import { plural } from "../../base/plural.ts";
import type { RrdContext } from "./context.ts";
import { InputError, nameOf, partsOver } from "./input.ts";
import type { RrdOptions } from "./options.ts";
import { openOutput } from "./output.ts";
import { RecordingFile } from "./recording_file.ts";
import { repeatedText, tellWritten } from "./written.ts";

/** How many components are named in a line. */
const MOST_NAMED = 8;

/** Runs the command; as `merge` for several files. */
export async function migrate(options: RrdOptions, context: RrdContext): Promise<number> {
  const { process, progress } = context;
  const path = options.output ?? "-";
  const output = await openOutput(path, options.files, context, options.force);
  const file = new RecordingFile(path, output);
  const repeated = new RepeatedMessages();
  const bridge = new Bridge();
  let withIds = 0;
  for (const input of options.files) {
    repeated.nextFile();
    for await (const batch of partsOver(input, options, context)) {
      for (const part of batch) {
        if (part.kind === "message" && await repeated.has(part.msg)) continue;
        if (part.kind !== "message") {
          await file.add(todays(part));
          continue;
        }
        for (const bridged of messages(part, bridge, input)) {
          const msg = withChunkId(bridged);
          if (msg !== bridged) withIds++;
          await file.add({ ...part, msg });
        }
      }
    }
  }
  await file.finish(process);
  progress.done();
  for (const line of warnings(bridge.counts)) {
    process.stderr(`warning: ${escapeText(nameOf(path))}: ${line}\n`);
  }
  const { leftOut } = repeated;
  const { bridged: migrated, already, damaged, unknown, untagged } = bridge.counts;
  const counts = {
    ...{ repeated_messages: leftOut, migrated, already_current: already },
    ...{ given_chunk_ids: withIds, damaged_schemas: damaged, unknown_messages: unknown },
    untagged_columns: Object.fromEntries(untagged),
  };
  // Data of SDK 0.23 has today's form except for the id, which readers since 0.24 demand.
  const ids = withIds === 0 ? "" : `, ${withIds} given the id of their chunk`;
  const more = `, ${migrated} migrated${ids}${repeatedText(leftOut)}`;
  tellWritten(file, options, context, { counts, more });
  return EXIT.ok;
}

function todays(part: RrdPart): RrdPart {
  if (part.kind !== "header" || isNewProtobuf(part.header)) return part;
  return { ...part, header: BRIDGED_HEADER };
}

function messages(
  part: Extract<RrdPart, { readonly kind: "message" }>,
  bridge: Bridge,
  input: string,
): readonly LogMsg[] {
  const found = bridge.messages(part.msg);
  if (bridge.counts.tables > 0) {
    const { major, minor, patch } = part.header.version;
    throw new InputError(
      nameOf(input),
      `it is of SDK ${major}.${minor}.${patch}, which logs tables: migrate takes 0.17 and later`,
      undefined,
    );
  }
  return found;
}

/** Warnings about data in the output that today's Rerun can't show. */
function warnings({ damaged, unknown, untagged }: BridgeCounts): string[] {
  const columns = [...untagged.values()].reduce((sum, count) => sum + count, 0);
  const names = [...untagged].slice(0, MOST_NAMED)
    .map(([name, count]) => `${escapeText(name)} (${count})`);
  const more = untagged.size > MOST_NAMED ? ` and ${untagged.size - MOST_NAMED} others` : "";
  return [
    ...(damaged === 0
      ? []
      : [`${plural(damaged, "chunk")} of a schema that can't be read, kept as they came`]),
    ...(unknown === 0 ? [] : [`${plural(unknown, "message")} of unknown kinds, kept as they came`]),
    ...(columns === 0 ? [] : [
      `${
        plural(columns, "column")
      } of no archetype, or of data that is laid out otherwise today: ` +
      `listed, but not drawn: ${names.join(", ")}${more}`,
    ]),
  ];
}
