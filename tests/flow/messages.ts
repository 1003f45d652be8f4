/** Makes log messages for tests of what carries them. */
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { arrowMsg, concat, Entries, rrdHeader, rrdMessage } from "../encoding/rrd_builder.ts";

/**
 * Decodes messages of one packet, which share its buffer.
 *
 * @param count how many
 * @param data bytes of Arrow data in each
 * @param frame their time on the sequence timeline `frame`; static if left out
 */
export function messages(count: number, data = 10, frame?: number): LogMsg[] {
  const entries: [unknown, unknown][] = frame === undefined
    ? []
    : [[{ name: "frame", typ: "Sequence" }, frame]];
  const message = rrdMessage(arrowMsg(new Entries(entries), { data }));
  const packet = concat(rrdHeader(), ...Array.from({ length: count }, () => message));
  const { items, error } = new RrdDecoder().decodePacket(packet);
  if (error !== undefined) throw error;
  return items;
}
