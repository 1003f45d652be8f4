/**
 * Limits of what decoding a packet or message may cost.
 *
 * @module
 */
import { checkLimits } from "../base/check_options.ts";
import { MessageLimit } from "../base/errors.ts";
import { LIMIT_DEFAULTS } from "../base/limit_table.ts";

/** Limits of decoding. */
export interface DecodeLimits {
  /** Limit of a message in bytes, as stored and once inflated; default 512 MiB. */
  readonly maxMessageBytes?: number;
  /** Messages in one packet; default 4096, and SDKs send one. */
  readonly maxMessagesPerPacket?: number;
  /** Nesting of msgpack values in a message; default 16. */
  readonly maxDepth?: number;
  /** Entries of all maps and arrays of a message's envelope, a protobuf field for 8; default 65,536. */
  readonly maxEntries?: number;
  /** Text of a message's envelope in bytes, all together; default 1 MiB. */
  readonly maxTextBytes?: number;
  /**
   * How many times its stored size LZ4 data above 16 MiB may declare; default 64 in packets. In
   * files, and below 16 MiB, it is the 255 that LZ4 reaches: blank images are as dense.
   */
  readonly maxLz4Ratio?: number;
}

/** Default of `maxMessageBytes`. */
export const MAX_MESSAGE_BYTES: number = LIMIT_DEFAULTS.maxMessageBytes;

/** The default limits. */
export const DECODE_LIMITS: Required<DecodeLimits> = {
  maxMessageBytes: MAX_MESSAGE_BYTES,
  maxMessagesPerPacket: LIMIT_DEFAULTS.maxMessagesPerPacket,
  maxDepth: LIMIT_DEFAULTS.maxDepth,
  maxEntries: LIMIT_DEFAULTS.maxEntries,
  maxTextBytes: LIMIT_DEFAULTS.maxTextBytes,
  maxLz4Ratio: LIMIT_DEFAULTS.maxLz4Ratio,
};

/**
 * No limits, for files of our own: a message that was accepted once is read again, and the file's
 * length bounds it.
 */
export const NO_LIMITS: DecodeLimits = {
  maxMessageBytes: Infinity,
  maxDepth: 256,
  maxEntries: Infinity,
  maxTextBytes: Infinity,
};

/** The highest ratio that LZ4 reaches, rounded up. */
export const DENSEST_LZ4 = 256;

/** As {@linkcode decodeLimits}, for files: a user's own blank images may be as dense as they like. */
export function fileLimits(options: DecodeLimits): Required<DecodeLimits> {
  return decodeLimits({ ...options, maxLz4Ratio: options.maxLz4Ratio ?? DENSEST_LZ4 });
}

/**
 * Limits with the defaults filled in; other options are left out.
 *
 * @throws {RangeError} if one is out of its range
 */
export function decodeLimits(options: DecodeLimits): Required<DecodeLimits> {
  const limits: Record<string, number> = { ...DECODE_LIMITS };
  for (const name of Object.keys(DECODE_LIMITS) as (keyof DecodeLimits)[]) {
    const given = options[name];
    if (given !== undefined) limits[name] = given;
  }
  checkLimits(limits);
  return limits as unknown as Required<DecodeLimits>;
}

/**
 * The error for a message that has more text than it may.
 *
 * @param maxTextBytes the limit
 * @param left what is left of it, below 0
 */
export function tooMuchText(maxTextBytes: number, left: number): MessageLimit {
  const found = maxTextBytes - left;
  return new MessageLimit(found, maxTextBytes, "maxTextBytes", "bytes of text in a message");
}
