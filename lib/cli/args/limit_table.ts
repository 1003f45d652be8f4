/**
 * The options that bound what clients can do.
 *
 * @module
 */
import { allowList } from "../../server/allow_list.ts";
import type { ServeOptions } from "../../server/options.ts";
import { parseDuration, parseSize } from "../terminal/units.ts";
import { type ArgReader, oneOf, parseCount } from "./arg_reader.ts";
import type { CliOption } from "./option.ts";

/** In the order of the help text. */
export const LIMITS = [
  {
    name: "drop-at-latency",
    value: "TIME",
    example: "200ms",
    help: "Drop frames once messages wait longer (200ms, 10s, 1m) [never]",
  },
  {
    name: "channel-limit",
    value: "SIZE",
    example: "256MiB",
    default: "256MiB",
    help: "Memory for messages waiting to be taken (64MB, 1.5GiB)",
  },
  {
    name: "max-packet",
    value: "SIZE",
    example: "512MiB",
    default: "512MiB",
    help: "A larger packet ends its client",
  },
  {
    name: "max-message",
    value: "SIZE",
    example: "512MiB",
    default: "512MiB",
    help: "A larger message, once inflated too, ends its client",
  },
  {
    name: "max-messages",
    value: "COUNT",
    example: "4096",
    default: "4096",
    help: "Messages in one packet",
  },
  {
    name: "max-depth",
    value: "COUNT",
    example: "16",
    default: "16",
    help: "Nesting of msgpack values in a message",
  },
  {
    name: "max-entries",
    value: "COUNT",
    example: "65536",
    default: "65536",
    help: "Entries of maps and lists in a message, all together",
  },
  {
    name: "max-text",
    value: "SIZE",
    example: "1MiB",
    default: "1MiB",
    help: "Text of a message, all together",
  },
  {
    name: "max-lz4-ratio",
    value: "COUNT",
    example: "64",
    default: "64",
    help: "Times its size an LZ4 block may inflate to, above 16 MiB",
  },
  {
    name: "max-unfinished",
    value: "SIZE",
    example: "1GiB",
    default: "1GiB",
    help: "Memory of what clients sent that is not whole, or waits",
  },
  {
    name: "max-clients",
    value: "COUNT",
    example: "4096",
    default: "4096",
    help: "SDKs at once; more wait for a place",
  },
  {
    name: "max-handshakes",
    value: "COUNT",
    example: "16384",
    default: "16384",
    help: "Connections that said nothing yet; more end the oldest",
  },
  {
    name: "max-per-address",
    value: "COUNT",
    example: "64",
    help: "Connections of one address [no limit]",
  },
  {
    name: "max-connects-per-sec",
    value: "COUNT",
    example: "10",
    help: "Connects of one address a second [no limit]",
  },
  {
    name: "handshake-timeout",
    value: "TIME",
    example: "10s",
    default: "10s",
    help: "For the first bytes of an SDK",
  },
  {
    name: "packet-timeout",
    value: "TIME",
    example: "1m",
    default: "1m",
    help: "Without a byte inside a packet",
  },
  {
    name: "idle-timeout",
    value: "TIME",
    example: "1h",
    help: "Without a byte between packets [never]",
  },
  {
    name: "min-packet-rate",
    value: "SIZE",
    example: "1KiB",
    default: "1KiB",
    help: "Bytes a second inside a packet, after 30 s of waiting",
  },
  {
    name: "on-bad-arrow",
    value: "WHAT",
    example: "drop",
    default: "save",
    help: "Corrupt Arrow data: save (never shown live), drop, close",
  },
] as const satisfies readonly CliOption[];

/** Which option of `serve` each sets, and how it is read. */
const READERS = {
  "channel-limit": ["channelLimitBytes", parseSize],
  "max-packet": ["maxPacketBytes", parseSize],
  "max-message": ["maxMessageBytes", parseSize],
  "max-messages": ["maxMessagesPerPacket", parseCount],
  "max-depth": ["maxDepth", parseCount],
  "max-entries": ["maxEntries", parseCount],
  "max-text": ["maxTextBytes", parseSize],
  "max-lz4-ratio": ["maxLz4Ratio", parseCount],
  "max-unfinished": ["maxUnfinishedBytes", parseSize],
  "max-clients": ["maxClients", parseCount],
  "max-handshakes": ["maxHandshakes", parseCount],
  "max-per-address": ["maxConnectionsPerAddress", parseCount],
  "max-connects-per-sec": ["maxConnectsPerSec", parseCount],
  "handshake-timeout": ["handshakeTimeoutSec", parseDuration],
  "packet-timeout": ["packetTimeoutSec", parseDuration],
  "idle-timeout": ["idleTimeoutSec", parseDuration],
  "min-packet-rate": ["minPacketBytesPerSec", parseSize],
} as const satisfies Record<string, readonly [keyof ServeOptions, (text: string) => number]>;

/** Options of `serve` that the command line sets only where they are given. */
export type LimitArgs = Pick<
  ServeOptions,
  typeof READERS[keyof typeof READERS][0] | "allow" | "onBadArrow"
>;

/**
 * Reads those that are given.
 *
 * @throws {UsageError}
 */
export function limitArgs(args: ArgReader): LimitArgs {
  const limits: Record<string, unknown> = {
    allow: args.read("allow", parseAllow),
    onBadArrow: args.read("on-bad-arrow", oneOf(["save", "drop", "close"])),
  };
  for (const [name, [option, parse]] of Object.entries(READERS)) {
    limits[option] = args.read(name, parse);
  }
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}

function parseAllow(text: string): readonly string[] {
  const entries = text.split(",").map((entry) => entry.trim());
  allowList(entries);
  return entries;
}
