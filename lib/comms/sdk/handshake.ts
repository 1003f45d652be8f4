import { MAX_FIRST_BYTES, type Protocol, protocolOf } from "../first_bytes.ts";
import {
  ClientIsNewer,
  ClientIsOlder,
  TruncatedHandshake,
  UnknownClient,
} from "../../base/errors.ts";

/** The version of the SDK protocol that this server speaks. */
export const PROTOCOL_VERSION = 1;

const MAGIC = [..."rerun"].map((letter) => letter.charCodeAt(0));

/** Names of other protocols in error messages. */
const SEEMS_LIKE = {
  http2: "grpc",
  http1: "http",
  tls: "tls",
  ssh: "ssh",
  other: undefined,
} as const;

/** What is known of a handshake so far. */
export interface HandshakeResult {
  /** How many of the pushed bytes it has read. */
  readonly at: number;
  /** The client's protocol version, once the handshake is over and the client is an SDK. */
  readonly version?: number;
  /** What the client speaks, if it is not this protocol; there is an error then, too. */
  readonly protocol?: Exclude<Protocol, "sdk">;
  /** Why the client is refused. */
  readonly error?: Error;
}

/** Reads the first bytes of a connection: the version, and from version 1 on the word `rerun`. */
export class Handshake {
  readonly #bytes = new Uint8Array(2 + MAGIC.length);
  #filled = 0;

  /** How many bytes came. */
  get filled(): number {
    return this.#filled;
  }

  /** The bytes that came. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#filled);
  }

  /** Takes the next bytes; stops behind the handshake, or where it is clear that this is none. */
  push(bytes: Uint8Array): HandshakeResult {
    let at = 0;
    while (at < bytes.length && this.#filled < this.#bytes.length) {
      this.#bytes[this.#filled++] = bytes[at++]!;
      const protocol = this.#filled <= MAX_FIRST_BYTES ? protocolOf(this.bytes) : undefined;
      if (protocol !== undefined && protocol !== "sdk") {
        return { at, protocol, error: new UnknownClient(SEEMS_LIKE[protocol]) };
      }
      if (this.#filled === 2 && this.#version === 0) return { at, version: 0 };
    }
    if (this.#filled < this.#bytes.length) return { at };
    if (MAGIC.some((code, i) => this.#bytes[2 + i] !== code)) {
      return { at, error: new UnknownClient() };
    }
    const version = this.#version;
    if (version > PROTOCOL_VERSION) {
      return { at, version, error: new ClientIsNewer(version, PROTOCOL_VERSION) };
    }
    if (version < PROTOCOL_VERSION) {
      return { at, version, error: new ClientIsOlder(version, PROTOCOL_VERSION) };
    }
    return { at, version };
  }

  /**
   * The error of a connection that ends here; none if nothing was sent, as by probes of the port.
   */
  finish(): Error | undefined {
    return this.#filled > 0 ? new TruncatedHandshake(this.#filled) : undefined;
  }

  get #version(): number {
    return this.#bytes[0]! | (this.#bytes[1]! << 8);
  }
}
