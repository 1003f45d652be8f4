/**
 * `rrd print`: one line a message.
 *
 * @module
 */
import type { RrdMessage, RrdPart } from "../../encoding/rrd/part.ts";
import { EXIT } from "../exit_codes.ts";
import { partsOver } from "./input.ts";
import type { RrdContext } from "./context.ts";
import { messageJson, messageText } from "./message_text.ts";
import type { RrdOptions } from "./options.ts";
import { standardOutput } from "./output.ts";

/** Runs the command. */
export async function print(options: RrdOptions, context: RrdContext): Promise<number> {
  const out = standardOutput();
  const line = options.json
    ? (part: RrdMessage) => JSON.stringify(messageJson(part))
    : (part: RrdMessage) => messageText(part, options.verbose);
  let code: number = EXIT.ok;
  for (const path of options.files) {
    let [messages, isDamaged] = [0, false];
    for await (const batch of partsOver(path, options, context)) {
      const lines = batch.filter(isMessage).map((part) => `${line(part)}\n`);
      messages += lines.length;
      isDamaged ||= batch.some(({ kind }) => kind === "damage");
      await out.write(new TextEncoder().encode(lines.join("")));
    }
    // Nothing was printed because nothing could be read.
    if (isDamaged && messages === 0) code = EXIT.failed;
  }
  return code;
}

function isMessage(part: RrdPart): part is RrdMessage {
  return part.kind === "message";
}
