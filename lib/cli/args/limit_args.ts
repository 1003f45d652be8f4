/**
 * The options that bound what clients can do, by the names that `serve` has for them.
 *
 * @module
 */
import { allowList } from "../../server/allow_list.ts";
import type { ServeOptions } from "../../server/options.ts";
import { type OptionReader, parseCount } from "./save_args.ts";
import { parseDuration, parseSize } from "../terminal/units.ts";

/** Which option of `serve` each sets, and how it is read. */
const LIMITS = {
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
  typeof LIMITS[keyof typeof LIMITS][0] | "allow" | "onBadArrow"
>;

/**
 * Reads them.
 *
 * @param read reads one option
 * @param oneOf parses a word
 */
export function limitArgs(
  read: OptionReader,
  oneOf: <T extends string>(words: readonly T[]) => (text: string) => T,
): LimitArgs {
  const limits: Record<string, unknown> = {
    allow: read("allow", parseAllow),
    onBadArrow: read("on-bad-arrow", oneOf(["save", "drop", "close"])),
  };
  for (const [name, [option, parse]] of Object.entries(LIMITS)) limits[option] = read(name, parse);
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}

function parseAllow(text: string): readonly string[] {
  const entries = text.split(",").map((entry) => entry.trim());
  allowList(entries);
  return entries;
}
