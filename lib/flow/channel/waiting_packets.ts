import { packetWeight } from "../../encoding/rrd/packet_weight.ts";
import { MESSAGE_OVERHEAD_BYTES } from "./pinned_bytes.ts";

/** How much room the channel has. */
export interface Room {
  /** Bytes that may be sent now. */
  readonly free: number;
  /** Whether a packet may be sent now however large it is, because nothing else waits. */
  readonly isEmpty: boolean;
}

/**
 * If so many times the bytes of all packets are free, there is no need to look what each would
 * take.
 */
const AMPLE = 400;

const NONE: readonly Uint8Array[] = [];

/** The packets of one read that are not decoded yet, given out as the channel has room for them. */
export class WaitingPackets {
  #packets = NONE;
  /** Index of the first packet that was not given out yet. */
  #at = 0;
  #needs = 0;
  /** Bytes of the first packet's buffer, if it has one of its own; 0 once they are counted. */
  #firstBytes = 0;
  /** Bytes of the buffer that all others share. */
  #restBytes = 0;

  /**
   * Puts in the packets of the next read.
   *
   * @param packets cut from a read; the first may have begun in reads before it
   * @param bytes the bytes that were read
   */
  put(packets: readonly Uint8Array[], bytes: Uint8Array): void {
    this.#packets = packets;
    this.#at = 0;
    if (packets.length === 0) return;
    const rest = bytes.buffer;
    const first = packets[0]!.buffer;
    this.#restBytes = rest.byteLength;
    this.#firstBytes = first === rest ? 0 : first.byteLength;
  }

  /** Whether all packets were given out. */
  get isEmpty(): boolean {
    return this.#at === this.#packets.length;
  }

  /** Bytes of room that the next packet needs, as the last `take` found out; 0 if none waits. */
  get needs(): number {
    return this.#needs;
  }

  /** Forgets all packets, so that an idle client keeps none of them alive. */
  clear(): void {
    this.#packets = NONE;
    this.#at = 0;
    this.#needs = 0;
  }

  /** Gives out all packets that are left. */
  takeAll(): readonly Uint8Array[] {
    this.#needs = 0;
    return this.#giveUpTo(this.#packets.length);
  }

  /**
   * Gives the next packets, as many as there is room for.
   *
   * @param room in the channel
   * @param maxMessages messages that a packet may have: one with more is refused by the decoder, so
   * no room is needed for them
   */
  take({ free, isEmpty }: Room, maxMessages: number): readonly Uint8Array[] {
    const packets = this.#packets;
    const from = this.#at;
    if (from === 0 && free > AMPLE * (this.#firstBytes + this.#restBytes)) return this.takeAll();
    let weight = 0;
    let inRest = 0;
    for (let at = from; at < packets.length; at++) {
      const packet = packets[at]!;
      const made = packetWeight(packet, MESSAGE_OVERHEAD_BYTES, maxMessages);
      const isFirst = at === 0 && this.#firstBytes > 0;
      const own = isFirst ? this.#firstBytes : 0;
      const length = isFirst ? 0 : packet.length;
      const fits = weight + made + own + this.#inBuffer(inRest + length) <= free;
      if (!fits && !(isEmpty && at === from)) {
        this.#needs = made + own + this.#inBuffer(length);
        return this.#giveUpTo(at);
      }
      weight += made + own;
      inRest += length;
    }
    return this.takeAll();
  }

  /**
   * Bytes that packets will keep alive of the shared buffer; if they are less than half of it they
   * will be copied, and keep only themselves.
   */
  #inBuffer(length: number): number {
    return Math.min(2 * length, this.#restBytes);
  }

  #giveUpTo(to: number): readonly Uint8Array[] {
    const packets = this.#packets;
    const from = this.#at;
    this.#at = to;
    return from === 0 && to === packets.length ? packets : packets.slice(from, to);
  }
}
