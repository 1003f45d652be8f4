import type { OptionNames } from "../../base/check_arguments.ts";
import { LIMIT_DEFAULTS } from "../../base/limit_table.ts";
import type { BufferPool } from "../../memory/buffer_pool.ts";
import type { Step, StepResult } from "../../base/step.ts";
import { Handshake } from "./handshake.ts";
import { PacketFramer } from "./packet_framer.ts";

/** Options of {@linkcode PacketReader} and `PacketStream`. */
export interface PacketOptions {
  /** Limit of a packet in bytes; default 512 MiB. */
  readonly maxPacketBytes?: number;
  /**
   * Called once a client is known to be an SDK, before its version is judged.
   *
   * @param version of the protocol: 0 for SDK 0.15 and older
   */
  readonly onHandshake?: (version: number) => void;
  /** Where memory for large packets comes from; without it, it is new. */
  readonly pool?: BufferPool | undefined;
  /** Takes memory from slabs until a packet is whole; `clear` must be called at the end then. */
  readonly inSlabs?: boolean;
  /**
   * Whether nothing behind the handshake is looked at until {@linkcode PacketReader.admit} is
   * called.
   */
  readonly holdsGreeted?: boolean;
}

/** Names of all options. */
export const PACKET_NAMES: OptionNames<PacketOptions> = {
  ...{ maxPacketBytes: true, onHandshake: true, pool: true, inSlabs: true, holdsGreeted: true },
};

/**
 * A connection that turned out to speak another protocol, which another part of the server serves.
 */
export interface HandOver {
  /** Which protocol. */
  readonly protocol: "http1" | "http2";
  /** A copy of all that was read of it. */
  readonly first: Uint8Array<ArrayBuffer>;
}

/** Default of `maxPacketBytes`. */
export const MAX_PACKET_BYTES: number = LIMIT_DEFAULTS.maxPacketBytes;

/** A connection's bytes → its packets: the handshake, then the framing. */
export class PacketReader implements Step<Uint8Array, Uint8Array> {
  #handshake: Handshake | undefined = new Handshake();
  readonly #framer: PacketFramer;
  readonly #onHandshake: (version: number) => void;
  #error: Error | undefined;
  #isShed = false;
  #packets = 0;
  #handOver: HandOver | undefined;
  readonly #holdsGreeted: boolean;
  /** What came behind the handshake, until the client is admitted. */
  #held: Uint8Array | undefined;

  constructor(
    {
      maxPacketBytes = MAX_PACKET_BYTES,
      onHandshake = () => {},
      pool,
      inSlabs,
      holdsGreeted = false,
    }: PacketOptions = {},
  ) {
    this.#framer = new PacketFramer(maxPacketBytes, pool, inSlabs);
    this.#onHandshake = onHandshake;
    this.#holdsGreeted = holdsGreeted;
  }

  /** What the client speaks instead, if it is no SDK of this protocol: others may take it. */
  get handOver(): HandOver | undefined {
    return this.#handOver;
  }

  /** How many packets were completed. */
  get packets(): number {
    return this.#packets;
  }

  /** Bytes of memory taken for a packet that is not whole. */
  get unfinishedBytes(): number {
    return this.#framer.unfinishedBytes;
  }

  /** Whether the handshake is complete. */
  get isGreeted(): boolean {
    return this.#handshake === undefined;
  }

  /**
   * Whether the handshake is complete, and what came behind it waits for {@linkcode
   * PacketReader.admit}.
   */
  get isHeld(): boolean {
    return this.#held !== undefined;
  }

  /** What the next byte is part of, and how many bytes of it have come. */
  get place(): { readonly where: "handshake" | "between" | "packet"; readonly bytes: number } {
    if (this.#handshake !== undefined) return { where: "handshake", bytes: this.#handshake.filled };
    const bytes = this.#framer.partialBytes;
    return { where: bytes === 0 ? "between" : "packet", bytes };
  }

  /** Where the next bytes of a large packet may be put directly, before they are pushed. */
  readInto(): Uint8Array<ArrayBuffer> | undefined {
    return this.#error === undefined ? this.#framer.readInto() : undefined;
  }

  /**
   * Has the next large packets put together so that their data lies at a multiple of 8.
   *
   * @param packet the first of a push
   * @param data where it lies in that packet
   */
  alignLike(packet: Uint8Array, data: Uint8Array): void {
    this.#framer.alignLike(packet, data);
  }

  /**
   * Drops our own use of the packets of the last push; to be called once their users are counted.
   */
  releaseTaken(): void {
    this.#framer.releaseTaken();
  }

  /**
   * Gives up the packet that is not whole, and all that comes; a read into its memory may still be
   * under way.
   */
  shed(): void {
    this.#framer.shed();
    this.#isShed = true;
  }

  /** Drops what came of a packet that is not whole, once nothing is read into it any more. */
  clear(): void {
    this.#framer.clear();
  }

  /** Lets the client in: looks at what came behind its handshake. */
  admit(): StepResult<Uint8Array> {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined || this.#error !== undefined || this.#isShed) return { items: [] };
    return this.#end(this.#framer.push(held));
  }

  push(bytes: Uint8Array): StepResult<Uint8Array> {
    if (this.#error !== undefined || this.#isShed) return { items: [] };
    let rest = bytes;
    if (this.#handshake !== undefined) {
      const { at, version, protocol, error } = this.#handshake.push(bytes);
      if (protocol === "http1" || protocol === "http2") {
        const first = new Uint8Array(this.#handshake.filled + bytes.length - at);
        first.set(this.#handshake.bytes);
        first.set(bytes.subarray(at), this.#handshake.filled);
        this.#handOver = { protocol, first };
      }
      if (version !== undefined) this.#onHandshake(version);
      if (error !== undefined) return this.#end({ items: [], error });
      if (version === undefined) return { items: [] };
      this.#handshake = undefined;
      rest = bytes.subarray(at);
      if (this.#holdsGreeted) {
        this.#held = rest;
        return { items: [] };
      }
    }
    return this.#end(this.#framer.push(rest));
  }

  finish(): StepResult<Uint8Array> {
    if (this.#error !== undefined) return { items: [] };
    const error = this.#handshake?.finish();
    return error === undefined ? this.#framer.finish() : { items: [], error };
  }

  #end(result: StepResult<Uint8Array>): StepResult<Uint8Array> {
    this.#error = result.error;
    this.#packets += result.items.length;
    return result;
  }
}
