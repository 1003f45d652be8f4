/**
 * Every limit that is a number, in one table: the defaults of options, the flags, the help, the
 * documentation and the texts of errors all come from here.
 *
 * @module
 */

/** A limit: its names, its default, and its line of help. */
export interface Limit {
  /** Its option on the command line, without the dashes. */
  readonly flag: string;
  /** What is counted; it says how the command line reads and shows the number. */
  readonly unit: "bytes" | "count" | "seconds";
  /** Infinite where there is no limit by default. */
  readonly default: number;
  /** A value that makes sense, where the default is infinite. */
  readonly example?: number;
  /** One line of the help text. */
  readonly help: string;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** What clients may take, by the options of `serve`, in the order of the help text. */
export const LIMITS = {
  channelLimitBytes: {
    flag: "channel-limit",
    unit: "bytes",
    default: 256 * MIB,
    help: "Memory for messages waiting to be taken (64MB, 1.5GiB)",
  },
  maxPacketBytes: {
    flag: "max-packet",
    unit: "bytes",
    default: 512 * MIB,
    help: "A larger packet ends its client",
  },
  maxMessageBytes: {
    flag: "max-message",
    unit: "bytes",
    default: 512 * MIB,
    help: "A larger message, once inflated too, ends its client",
  },
  maxMessagesPerPacket: {
    flag: "max-messages",
    unit: "count",
    default: 4096,
    help: "Messages in one packet",
  },
  maxDepth: {
    flag: "max-depth",
    unit: "count",
    default: 16,
    help: "Nesting of msgpack values in a message",
  },
  maxEntries: {
    flag: "max-entries",
    unit: "count",
    default: 65_536,
    help: "Entries of maps and lists in a message, all together",
  },
  maxTextBytes: {
    flag: "max-text",
    unit: "bytes",
    default: MIB,
    help: "Text of a message, all together",
  },
  maxLz4Ratio: {
    flag: "max-lz4-ratio",
    unit: "count",
    default: 64,
    help: "Times its size an LZ4 block may inflate to, above 16 MiB",
  },
  maxUnfinishedBytes: {
    flag: "max-unfinished",
    unit: "bytes",
    default: GIB,
    help: "Memory of what clients sent that is not whole, or waits",
  },
  maxClients: {
    flag: "max-clients",
    unit: "count",
    default: 4096,
    help: "SDKs at once; more wait for a place",
  },
  maxHandshakes: {
    flag: "max-handshakes",
    unit: "count",
    default: 16_384,
    help: "Connections that said nothing yet; more end the oldest",
  },
  maxConnectionsPerAddress: {
    flag: "max-per-address",
    unit: "count",
    default: Infinity,
    example: 64,
    help: "Connections of one address [no limit]",
  },
  maxConnectsPerSec: {
    flag: "max-connects-per-sec",
    unit: "count",
    default: Infinity,
    example: 10,
    help: "Connects of one address a second [no limit]",
  },
  handshakeTimeoutSec: {
    flag: "handshake-timeout",
    unit: "seconds",
    default: 10,
    help: "For the first bytes of an SDK",
  },
  packetTimeoutSec: {
    flag: "packet-timeout",
    unit: "seconds",
    default: 60,
    help: "Without a byte inside a packet",
  },
  idleTimeoutSec: {
    flag: "idle-timeout",
    unit: "seconds",
    default: Infinity,
    example: 3600,
    help: "Without a byte between packets [never]",
  },
  minPacketBytesPerSec: {
    flag: "min-packet-rate",
    unit: "bytes",
    default: KIB,
    help: "Bytes a second inside a packet, after 30 s of waiting",
  },
} as const satisfies Readonly<Record<string, Limit>>;

/** What viewers may take, by the options of `viewerHub`, in the order of the help text. */
export const VIEWER_LIMITS = {
  viewerQueueBytes: {
    flag: "viewer-queue",
    unit: "bytes",
    default: 64 * MIB,
    help: "Has no effect any more: see docs/viewers.md",
  },
  maxViewers: { flag: "max-viewers", unit: "count", default: 256, help: "Viewers at once" },
} as const satisfies Readonly<Record<string, Limit>>;

/** The default of each limit of `serve`. */
export const LIMIT_DEFAULTS: { readonly [Option in keyof typeof LIMITS]: number } = Object
  .fromEntries(Object.entries(LIMITS).map(([option, limit]) => [option, limit.default])) as {
    [Option in keyof typeof LIMITS]: number;
  };

/** Options that errors name and that are not numbers. */
const OTHER_FLAGS = { allow: "allow", onBadArrow: "on-bad-arrow" };

const FLAGS: ReadonlyMap<string, string> = new Map([
  ...Object.entries({ ...LIMITS, ...VIEWER_LIMITS }).map(([option, { flag }]) =>
    [option, flag] as const
  ),
  ...Object.entries(OTHER_FLAGS),
]);

/** How an error's text names the option that changes a limit, and its flag. */
export function optionText(option: string): string {
  const flag = FLAGS.get(option);
  return flag === undefined ? `(option ${option})` : `(--${flag}, option ${option})`;
}
