import { Assembler, leadFor } from "../../memory/assembler.ts";
import { PacketTooLarge, TruncatedPacket } from "../../base/errors.ts";
import type { BufferPool } from "../../memory/buffer_pool.ts";
import { u32 } from "../../base/little_endian.ts";
import type { Step, StepResult } from "../../base/step.ts";

/** Length of the length before each packet, in bytes. */
const PREFIX_BYTES = 4;
/** The numbers of smaller packets are copied fast. */
const ALIGNED_BYTES = 64 * 1024;

/** Cuts a connection's bytes, from behind the handshake on, into packets. */
export class PacketFramer implements Step<Uint8Array, Uint8Array> {
  readonly #assembler: Assembler;
  /** The bytes of a length that is not whole, as a number. */
  #prefix = 0;
  #prefixFilled = 0;
  /** Length of the packet that is being put together; −1 between packets. */
  #length = -1;

  /**
   * @param maxPacketBytes a packet that declares more is refused before memory is taken for it
   * @param pool where the memory comes from; without it, it is new
   * @param inSlabs takes memory from slabs until a packet is whole; `clear` must be called then
   */
  constructor(readonly maxPacketBytes: number, pool?: BufferPool, inSlabs = false) {
    this.#assembler = new Assembler(pool, inSlabs);
  }

  /** Bytes of memory taken for a packet that is not whole. */
  get unfinishedBytes(): number {
    return this.#assembler.capacity;
  }

  /** Bytes that came of a packet that is not whole, its length included; 0 between packets. */
  get partialBytes(): number {
    return this.#length < 0 ? this.#prefixFilled : PREFIX_BYTES + this.#assembler.filled;
  }

  /** Where the next bytes of a large packet may be put directly, before they are pushed. */
  readInto(): Uint8Array<ArrayBuffer> | undefined {
    return this.#length < 0 ? undefined : this.#assembler.readInto(this.#length);
  }

  /**
   * Puts the next packets together so that their data lies at a multiple of 8: SDKs have it at the same
   * place in each for as long as they log alike.
   *
   * @param packet the first of a push: no other was put together
   * @param data where it lies in that packet
   */
  alignLike(packet: Uint8Array, data: Uint8Array): void {
    if (packet.length < ALIGNED_BYTES || data.buffer !== packet.buffer) return;
    this.#assembler.lead = leadFor(data.byteOffset - packet.byteOffset);
  }

  /** Drops our own use of the packets of the last push; to be called once their users are counted. */
  releaseTaken(): void {
    this.#assembler.releaseTaken();
  }

  /** Frees the pieces of an unfinished packet, except the one that a pending read may still fill. */
  shed(): void {
    this.#assembler.shed();
  }

  /** Frees all pieces of an unfinished packet. */
  clear(): void {
    this.#assembler.clear();
  }

  /** Packets that lie whole in these bytes are views on them; one that straddles is copied once. */
  push(bytes: Uint8Array): StepResult<Uint8Array> {
    const items: Uint8Array[] = [];
    // Asked for once, for many views: asking a view for its buffer is slow on Bun (see
    // pinned_bytes.ts).
    const { buffer, byteOffset } = bytes;
    const end = bytes.length;
    let at = 0;
    while (at < end) {
      if (this.#length < 0) {
        at = this.#readPrefix(bytes, at);
        if (this.#length > this.maxPacketBytes) {
          return { items, error: new PacketTooLarge(this.#length, this.maxPacketBytes) };
        }
        if (this.#length < 0 || at + this.#length > end) continue;
        items.push(new Uint8Array(buffer, byteOffset + at, this.#length));
        at += this.#length;
        this.#length = -1;
      } else {
        at = this.#assembler.fill(bytes, at, this.#length);
        if (this.#assembler.filled < this.#length) break;
        items.push(this.#assembler.take());
        this.#length = -1;
      }
    }
    return { items };
  }

  finish(): StepResult<Uint8Array> {
    if (this.#length >= 0) {
      const received = PREFIX_BYTES + this.#assembler.filled;
      return { items: [], error: new TruncatedPacket(received, PREFIX_BYTES + this.#length) };
    }
    if (this.#prefixFilled > 0) {
      return { items: [], error: new TruncatedPacket(this.#prefixFilled) };
    }
    return { items: [] };
  }

  #readPrefix(bytes: Uint8Array, at: number): number {
    if (this.#prefixFilled === 0 && at + PREFIX_BYTES <= bytes.length) {
      this.#length = u32(bytes, at);
      return at + PREFIX_BYTES;
    }
    while (this.#prefixFilled < PREFIX_BYTES && at < bytes.length) {
      this.#prefix |= bytes[at++]! << (8 * this.#prefixFilled++);
    }
    if (this.#prefixFilled === PREFIX_BYTES) {
      this.#length = this.#prefix >>> 0;
      this.#prefix = this.#prefixFilled = 0;
    }
    return at;
  }
}
