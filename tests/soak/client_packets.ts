/** Recorded packets of SDK 0.22.1 made into those of many clients. */
import { Buffer } from "node:buffer";
import { concat } from "../encoding/rrd_builder.ts";
import { capturePackets } from "../fixtures.ts";

const CAPTURE = "0.22.1-mixed";
/** In its packets; what stands in for them has the same length. */
const APPLICATION = "rerun_example_capture";
const RECORDING = "rec-mixed";
const TIME_NS = Buffer.from("\xa7time_ns\xcf", "latin1");
const INC = Buffer.from("\xa3inc\xcf", "latin1");

/** What a client logs: two announcements, then chunks, over and over. */
export class ClientPackets {
  readonly #packets: readonly Uint8Array<ArrayBuffer>[];
  readonly #client: number;
  #count = 0;

  /**
   * @param client a number, of at most 6 digits, which the ids of application, recording and chunks tell
   * @param largest bytes of a packet; larger ones of the recorded are left out
   */
  constructor(client: number, largest = Infinity) {
    this.#client = client;
    this.#packets = capturePackets(CAPTURE).filter(({ length }) => length <= largest);
    for (const packet of this.#packets) {
      // Applications share blueprints, so each client has one of its own.
      replace(packet, APPLICATION, `app${client}`.padEnd(APPLICATION.length, "_"));
      replace(packet, RECORDING, recordingId(client));
    }
  }

  /** The next packet; chunks are numbered from 0. */
  next(): Uint8Array<ArrayBuffer> {
    const announcements = 2;
    const index = this.#count++;
    if (index < announcements) return this.#packets[index]!;
    const chunk = index - announcements;
    const chunks = this.#packets.length - announcements;
    const packet = this.#packets[announcements + chunk % chunks]!.slice();
    const view = new DataView(packet.buffer);
    view.setBigUint64(behind(packet, TIME_NS), BigInt(this.#client));
    view.setBigUint64(behind(packet, INC), BigInt(chunk));
    return packet;
  }
}

/** Of the recording of a client. */
export function recordingId(client: number): string {
  return `rec${String(client).padStart(6, "0")}`;
}

function replace(packet: Uint8Array<ArrayBuffer>, what: string, by: string): void {
  const at = Buffer.from(packet.buffer).indexOf(what);
  if (at >= 0) packet.set(Buffer.from(by), at);
}

function behind(packet: Uint8Array<ArrayBuffer>, what: Buffer): number {
  return Buffer.from(packet.buffer).indexOf(what) + what.length;
}

/** The file that packets of one message each are saved into. */
export function savedFile(packets: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const messages = packets.map((packet) => packet.subarray(12));
  return concat(packets[0]!.subarray(0, 12), ...messages, new Uint8Array(8));
}
