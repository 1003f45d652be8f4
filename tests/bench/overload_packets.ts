/** Packets of a flooding client, made once and patched: they must cost the sender hardly anything. */
import { Buffer } from "node:buffer";
import {
  arrowMsg,
  concat,
  Entries,
  rrdHeader,
  rrdMessage,
  setStoreInfo,
  storeInfoFields,
} from "../encoding/rrd_builder.ts";

/** The handshake of a client of today's TCP protocol. */
export const HANDSHAKE: Uint8Array<ArrayBuffer> = Uint8Array.of(
  1,
  0,
  ...new TextEncoder().encode("rerun"),
);

const FRAME = 0x1111111111111111n;
const TICK = 0x2222222222222222n;
const TIME = 0x3333333333333333n;

/** Messages without a time, as packets. */
export interface Timeless {
  readonly storeInfo: Uint8Array;
  readonly staticData: Uint8Array;
}

/** Those that must never be dropped, of a recording of this id. */
export function timeless(id: string): Timeless {
  const info = { ...storeInfoFields(), store_id: { kind: "Recording", id } };
  return {
    storeInfo: packet(setStoreInfo(info)),
    staticData: packet(arrowMsg(new Entries([]), { id, data: 1000 })),
  };
}

/** Makes the packets of one frame after the other: user's timeline, `log_tick` and `log_time`. */
export class Frames {
  readonly #template: Buffer;
  readonly #frameAt: number[];
  readonly #tickAt: number[];
  readonly #timeAt: number[];
  #tick = 0n;

  /**
   * @param id of the recording
   * @param messages of each frame
   * @param dataBytes Arrow data of each message
   */
  constructor(id: string, messages: number, dataBytes: number) {
    const timepoint = new Entries([
      [{ name: "frame", typ: "Sequence" }, FRAME],
      [{ name: "log_tick", typ: "Sequence" }, TICK],
      [{ name: "log_time", typ: "Time" }, TIME],
    ]);
    const one = packet(arrowMsg(timepoint, { id, data: dataBytes }));
    this.#template = Buffer.from(concat(...Array.from({ length: messages }, () => one)));
    this.#frameAt = placesOf(this.#template, FRAME);
    this.#tickAt = placesOf(this.#template, TICK);
    this.#timeAt = placesOf(this.#template, TIME);
  }

  /**
   * Frames from one number up to another.
   *
   * @param from the first
   * @param to the one after the last
   */
  range(from: number, to: number): Uint8Array {
    const size = this.#template.length;
    const made = Buffer.allocUnsafe((to - from) * size);
    const now = BigInt(Date.now()) * 1_000_000n;
    for (let frame = from; frame < to; frame++) {
      const start = (frame - from) * size;
      this.#template.copy(made, start);
      for (const at of this.#frameAt) made.writeBigInt64BE(BigInt(frame), start + at);
      for (const at of this.#tickAt) made.writeBigInt64BE(this.#tick++, start + at);
      for (const at of this.#timeAt) made.writeBigInt64BE(now, start + at);
    }
    return made;
  }
}

function packet(payload: Uint8Array): Uint8Array {
  const body = concat(rrdHeader(), rrdMessage(payload));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.length);
  return concat(length, body);
}

function placesOf(template: Buffer, mark: bigint): number[] {
  const sought = Buffer.alloc(8);
  sought.writeBigInt64BE(mark);
  const places = [];
  for (let at = template.indexOf(sought); at >= 0; at = template.indexOf(sought, at + 8)) {
    places.push(at);
  }
  return places;
}
