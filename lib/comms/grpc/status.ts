/**
 * Statuses of gRPC: how a call ended is a number and a text in its trailers.
 *
 * @module
 */
import { MessageLimit, reason, RerelayError } from "../../base/errors.ts";
import { InvalidMessage, MessageTooLarge } from "../../base/errors.ts";
import { HandshakeTimeout, PacketTimeout, PacketTooSlow } from "../../base/errors.ts";
import { IdleTimeout, TooManyClients, UnfinishedPacketsLimit } from "../../base/errors.ts";

/** The statuses that are used here, by gRPC's names. */
export const STATUS: {
  readonly OK: 0;
  readonly CANCELLED: 1;
  readonly UNKNOWN: 2;
  readonly INVALID_ARGUMENT: 3;
  readonly DEADLINE_EXCEEDED: 4;
  readonly NOT_FOUND: 5;
  readonly PERMISSION_DENIED: 7;
  readonly RESOURCE_EXHAUSTED: 8;
  readonly FAILED_PRECONDITION: 9;
  readonly UNIMPLEMENTED: 12;
  readonly INTERNAL: 13;
  readonly UNAVAILABLE: 14;
  readonly UNAUTHENTICATED: 16;
} = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
};

/** One of these statuses' numbers. */
export type Status = typeof STATUS[keyof typeof STATUS];

/** A call that can't go on, and the status that tells the peer so. */
export class GrpcError extends RerelayError {
  /** Takes the status, and one line that the peer's user can act on. */
  constructor(readonly status: Status, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** A call broke off before its end: the connection was lost, or the peer gave the call up. */
export class CallCut extends GrpcError {
  /**
   * Tells how much of a message came, and how much it had declared.
   *
   * @param receivedBytes how much came of a message that is not whole, its 5-byte head included; 0
   * between messages
   * @param expectedBytes how much it declared, its head included; `undefined` inside the head
   */
  constructor(readonly receivedBytes: number, readonly expectedBytes?: number) {
    super(
      receivedBytes === 0 ? STATUS.CANCELLED : STATUS.INTERNAL,
      receivedBytes === 0
        ? "The call was broken off between messages"
        : `The call ended inside a message, after ${receivedBytes} of ${
          expectedBytes ?? "an unknown number of"
        } bytes`,
    );
  }

  /** Whether a part of a message was lost with it. */
  get isInMessage(): boolean {
    return this.receivedBytes > 0;
  }
}

/**
 * The status for an error: a limit does not mean that the data is wrong, and a bug of ours is not
 * the peer's.
 */
export function statusOf(error: Error): Status {
  if (error instanceof GrpcError) return error.status;
  if (EXHAUSTED.some((limit) => error instanceof limit)) return STATUS.RESOURCE_EXHAUSTED;
  return error instanceof InvalidMessage ? STATUS.INVALID_ARGUMENT : STATUS.INTERNAL;
}

const EXHAUSTED = [
  MessageLimit,
  MessageTooLarge,
  UnfinishedPacketsLimit,
  TooManyClients,
  HandshakeTimeout,
  PacketTimeout,
  PacketTooSlow,
  IdleTimeout,
];

/** Limit of a text in bytes: longer ones would not fit in the header lists that peers take. */
const MAX_TEXT_BYTES = 1024;

/**
 * The trailers that end a call.
 *
 * @param error what ended it; `undefined` if it ended well
 */
export function trailersOf(error?: Error): [string, string][] {
  if (error === undefined) return [["grpc-status", "0"]];
  return [["grpc-status", String(statusOf(error))], ["grpc-message", encodeText(reason(error))]];
}

const HEX = Array.from({ length: 256 }, (_, byte) => "%" + byte.toString(16).padStart(2, "0"))
  .map((text) => text.toUpperCase());

/** What stands for itself: a space does inside, but no field of HTTP/2 begins or ends with one. */
const PLAIN = /^(?! )[ -$&-~]*(?<! )$/;

/**
 * A text as the `grpc-message` header holds it: UTF-8, with `%XX` for what is not printable ASCII.
 *
 * @param text cut to 1 KiB of UTF-8
 */
export function encodeText(text: string): string {
  // Nearly all are, and who makes a server say no again and again should leave no garbage for each letter.
  if (text.length <= MAX_TEXT_BYTES && PLAIN.test(text)) return text;
  const bytes = new Uint8Array(MAX_TEXT_BYTES);
  const { written } = new TextEncoder().encodeInto(text.toWellFormed(), bytes);
  let encoded = "";
  for (const byte of bytes.subarray(0, written)) {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x25;
    encoded += isPlain ? String.fromCharCode(byte) : HEX[byte];
  }
  return encoded.replace(/^ /, "%20").replace(/ $/, "%20");
}

/** Decodes the text of a `grpc-message` header; what is encoded wrongly stays as it is. */
export function decodeText(encoded: string): string {
  const text = encoded.replaceAll(/(?:%[0-9a-f]{2})+/gi, (run) => {
    const bytes = Uint8Array.from(run.slice(1).split("%"), (hex) => parseInt(hex, 16));
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  });
  return text;
}

const TIMEOUT_UNITS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/**
 * Reads a `grpc-timeout` header.
 *
 * @param header such as `10S` or `250m`; `undefined` where the call has none
 * @returns milliseconds; infinity without a header
 * @throws {GrpcError} INVALID_ARGUMENT if it is not one to eight digits and a unit
 */
export function parseTimeout(header: string | undefined): number {
  if (header === undefined) return Infinity;
  const unit = /^\d{1,8}[HMSmun]$/.test(header) ? TIMEOUT_UNITS[header.at(-1)!] : undefined;
  if (unit === undefined) {
    throw new GrpcError(STATUS.INVALID_ARGUMENT, `Invalid grpc-timeout: ${header.slice(0, 32)}`);
  }
  return parseInt(header) * unit;
}
