/**
 * What travels through the smart channel.
 *
 * @module
 */
import { checkGiven } from "../../base/check_arguments.ts";
import { formatAddr, type NetAddr } from "../../base/net_addr.ts";
import { escapeText } from "../../base/escape.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";

/** Where a message came from. */
export interface MessageSource {
  /** How it is connected. */
  readonly kind: "tcp-client" | "grpc-client" | "nats-box";
  /** Absent where the transport has no addresses. */
  readonly addr?: NetAddr;
  /** Name of the box whose recordings came through NATS. */
  readonly box?: string;
  /** Tells clients apart; counts up from 1 for each server. */
  readonly id: number;
  /**
   * Whether it is another Rerelay that forwards what it has saved: such a client comes and goes
   * with each batch.
   */
  readonly isForwarded?: boolean;
}

/**
 * A client over TCP; as text it is what {@linkcode sourceText} gives.
 *
 * @example
 * ```ts
 * import { TcpClientSource } from "@rerelay/server/flow";
 * import { assertEquals } from "@std/assert";
 *
 * const source = new TcpClientSource(1, { hostname: "::1", port: 50094 });
 * assertEquals(`${source}`, "tcp://[::1]:50094");
 * ```
 */
export class TcpClientSource implements MessageSource {
  /** How it is connected. */
  readonly kind = "tcp-client" as const;
  /** Absent where the transport has none. */
  declare readonly addr?: NetAddr;

  /**
   * Names a connection.
   *
   * @param id tells connections apart
   * @param addr of the client, where the transport has one
   */
  constructor(readonly id: number, addr: NetAddr | undefined) {
    if (addr !== undefined) this.addr = addr;
  }

  /** As the Rerun server shows it, such as `tcp://127.0.0.1:50094`. */
  toString(): string {
    return sourceText(this);
  }
}

/**
 * A `WriteMessages` call of gRPC: several may come over one connection, and each is a client.
 *
 * @example
 * ```ts
 * import { GrpcClientSource } from "@rerelay/server/flow";
 * import { assertEquals } from "@std/assert";
 *
 * const source = new GrpcClientSource(1, { hostname: "127.0.0.1", port: 50094 });
 * assertEquals(`${source}`, "grpc://127.0.0.1:50094");
 * ```
 */
export class GrpcClientSource implements MessageSource {
  /** How it is connected. */
  readonly kind = "grpc-client" as const;
  /** Absent where the transport has none. */
  declare readonly addr?: NetAddr;
  /** Set if another Rerelay forwards by this call what it has saved. */
  declare readonly isForwarded?: boolean;

  /**
   * Names a call.
   *
   * @param id tells clients apart
   * @param addr of the client, where the transport has one
   * @param isForwarded whether another Rerelay sends on what it has saved
   */
  constructor(readonly id: number, addr: NetAddr | undefined, isForwarded = false) {
    if (addr !== undefined) this.addr = addr;
    if (isForwarded) this.isForwarded = true;
  }

  /** Such as `grpc://127.0.0.1:50094`. */
  toString(): string {
    return sourceText(this);
  }
}

/**
 * A box whose recordings come through NATS.
 *
 * @example
 * ```ts
 * import { NatsBoxSource } from "@rerelay/server/flow";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(`${new NatsBoxSource(1, "box-7")}`, "nats box-7");
 * ```
 */
export class NatsBoxSource implements MessageSource {
  /** How its messages come. */
  readonly kind = "nats-box" as const;

  /**
   * Names a box.
   *
   * @param id tells clients apart
   * @param box its name
   */
  constructor(readonly id: number, readonly box: string) {}

  /** Such as `nats box-7`. */
  toString(): string {
    return sourceText(this);
  }
}

/** A log message, or the news that the client left. */
export type SmartPayload =
  | { readonly type: "msg"; readonly msg: LogMsg }
  | {
    readonly type: "quit";
    /** Why it left; `undefined` if it left gracefully. */
    readonly error?: Error;
  };

/** A payload with its source and the time it was sent. */
export interface SmartMessage {
  /** Who sent it. */
  readonly source: MessageSource;
  /** What was sent. */
  readonly payload: SmartPayload;
  /** When it entered the channel, in milliseconds of the server's monotonic clock. */
  readonly time: number;
}

/**
 * A source as the Rerun server shows it.
 *
 * @example
 * ```ts
 * import { sourceText } from "@rerelay/server";
 * import { assertEquals } from "@std/assert";
 *
 * const addr = { hostname: "127.0.0.1", port: 50094 };
 * assertEquals(sourceText({ kind: "tcp-client", id: 1, addr }), "tcp://127.0.0.1:50094");
 * assertEquals(sourceText({ kind: "grpc-client", id: 2, addr }), "grpc://127.0.0.1:50094");
 * assertEquals(sourceText({ kind: "nats-box", id: 3, box: "box-7" }), "nats box-7");
 * assertEquals(sourceText({ kind: "tcp-client", id: 4 }), "(unknown ip)");
 * ```
 */
export function sourceText(source: MessageSource): string {
  checkGiven("sourceText", "the source of a message", typeof source?.kind === "string", source);
  const { kind, addr, box } = source;
  if (kind === "nats-box") return `nats ${escapeText(box ?? "", 64)}`;
  const scheme = kind === "grpc-client" ? "grpc" : "tcp";
  return addr === undefined ? "(unknown ip)" : `${scheme}://${formatAddr(addr)}`;
}
