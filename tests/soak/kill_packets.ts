/** Packets of a capture, each with a number of its own in its Arrow data. */
import { Buffer } from "node:buffer";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { capturePackets, fixture } from "../fixtures.ts";

const CAPTURE = "0.22.1-mixed";
const PACKETS = capturePackets(CAPTURE);
/** Announcements and static data, sent once. */
const START = PACKETS.slice(0, 4);
const BODIES = PACKETS.filter((packet) => packet.length > 2400 && packet.length < 2800);

/** From the end: before the 8 bytes that end the Arrow stream, in the last of its data. */
const NUMBER_AT = 12;

/** What every connection begins with. */
export const PREAMBLE: Uint8Array = Buffer.concat([
  fixture(`captures/${CAPTURE}.bin`).subarray(0, 7),
  ...START.map(framed),
]);

/** The packet of this number, with its length in front. */
export function packetOf(number: number): Uint8Array {
  const packet = framed(BODIES[number % BODIES.length]!);
  new DataView(packet.buffer).setUint32(packet.length - NUMBER_AT, number, true);
  return packet;
}

/** The number of a message; `undefined` for those that have none. */
export function numberOf(msg: LogMsg): number | undefined {
  if (msg.kind !== "ArrowMsg" || msg.timepointMax?.length === 0) return undefined;
  const { bytes } = msg.arrow;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - NUMBER_AT, true);
}

/** Whether a message is the very one of this number. */
export function isPacket(msg: LogMsg, number: number): boolean {
  if (msg.kind !== "ArrowMsg") return false;
  const { bytes } = msg.arrow;
  const packet = packetOf(number);
  return Buffer.compare(bytes, packet.subarray(packet.length - bytes.length)) === 0;
}

function framed(packet: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 + packet.length);
  new DataView(bytes.buffer).setUint32(0, packet.length, true);
  bytes.set(packet, 4);
  return bytes;
}
