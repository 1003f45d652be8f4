/**
 * The options that bound what clients can do.
 *
 * @module
 */
import type { CliOption } from "./option_table.ts";

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
