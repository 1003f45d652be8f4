/**
 * What looking at the frame of Arrow data costs, beside receiving it:
 *
 *     deno bench -A tests/bench/arrow_check.ts
 *
 * The check runs where viewers are connected, or with `--on-bad-arrow drop` or `close`.
 */
import { PacketReader } from "../../lib/comms/sdk/packet_reader.ts";
import { checkArrow } from "../../lib/encoding/arrow/arrow_check.ts";
import type { ArrowMsg } from "../../lib/encoding/arrow_msg.ts";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { PacketDecoder } from "../../lib/encoding/rrd/packet_decoder.ts";
import { concat, framed, HELLO } from "../encoding/rrd_builder.ts";
import { capturePackets } from "../fixtures.ts";

/** Small messages, as of a robot's scalars, and one image of 900 kB. */
const SMALL = capturePackets("0.22.1-mixed").filter((packet) =>
  packet.length > 2400 && packet.length < 2800
);
const MESSAGES = SMALL.flatMap((packet) =>
  new RrdDecoder().decodePacket(packet).items as ArrowMsg[]
);
const STREAM = concat(HELLO, ...SMALL.map(framed));

Deno.bench(`decode ${SMALL.length} packets of about 2.5 kB`, { baseline: true }, () => {
  const reader = new PacketReader();
  const decoder = new PacketDecoder({ onPacket: () => {} });
  for (const packet of reader.push(STREAM).items) decoder.push([packet]);
});

Deno.bench(`check the Arrow data of ${SMALL.length} messages`, () => {
  for (const msg of MESSAGES) if (checkArrow(msg) !== undefined) throw new Error("not good");
});
