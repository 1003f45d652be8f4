/**
 * All options of the command line in one table, which the parser and the help text both use.
 *
 * @module
 */
import { VIEWER_LIMITS } from "../../base/limit_table.ts";
import { FROM_OPTIONS, NATS_OPTIONS } from "./from_args.ts";
import { hideSecrets } from "../../forward/url.ts";
import { LIMIT_OPTIONS, limitOptions } from "./limit_table.ts";
import type { CliOption } from "./option.ts";

const LISTENING = [
  {
    name: "bind",
    value: "IP",
    example: "127.0.0.1",
    default: "127.0.0.1",
    help: "Where to listen; 0.0.0.0 lets other machines connect",
  },
  {
    name: "port",
    value: "PORT",
    example: "9876",
    default: "9876",
    help: "TCP port for SDKs; 0 picks a free one and prints it",
  },
  {
    name: "allow",
    value: "LIST",
    example: "10.0.0.0/8,::1",
    list: true,
    help: "Only these may connect: 10.0.0.0/8,192.168.1.7,::1 [all]",
  },
  {
    name: "drain",
    value: "TIME",
    example: "10m",
    default: "10m",
    help: "After SIGUSR2 open connections and calls may stay so long",
  },
] as const satisfies readonly CliOption[];

const SAVING = [
  {
    name: "save",
    value: "PATTERN",
    example: "recording.rrd",
    help: "Write what is logged into this .rrd file, or several: see Files",
  },
  { name: "force", help: "Replace the file if it exists" },
  {
    name: "sync",
    value: "WHEN",
    example: "interval",
    default: "interval",
    help: "On the disk: never, at an interval (500 ms), always",
  },
  {
    name: "rotate-size",
    value: "SIZE",
    example: "1GiB",
    help: "Go on in the next file before what is new gets larger [never]",
  },
  {
    name: "rotate-every",
    value: "TIME",
    example: "10m",
    help: "Go on in the next file after this time [never]",
  },
  {
    name: "keep",
    value: "COUNT",
    example: "20",
    help: "Remove the oldest closed files of PATTERN above so many [all]",
  },
  {
    name: "keep-size",
    value: "SIZE",
    example: "50GiB",
    help: "Remove the oldest closed files of PATTERN above so much [all]",
  },
  {
    name: "compress",
    value: "HOW",
    example: "lz4",
    default: "off",
    help: "off, or lz4 as Rerun's own files are",
  },
  {
    name: "rrd-format",
    value: "FORM",
    example: "current",
    default: "as-sent",
    help: "as-sent, or current: SDK 0.17 to 0.22 in today's form",
  },
  {
    name: "chunk-index",
    value: "WHAT",
    example: "off",
    default: "on",
    help: "List of chunks behind them, as Rerun has it: on, off",
  },
  {
    name: "on-save-error",
    value: "WHAT",
    example: "stop",
    default: "retry",
    help: "When the disk fails: retry into another file, or stop",
  },
  {
    name: "ready-free",
    value: "SIZE",
    example: "64MiB",
    default: "64MiB",
    help: "With less room on the disk /readyz says not ready",
  },
] as const satisfies readonly CliOption[];

const FLEET = [...FROM_OPTIONS, ...NATS_OPTIONS] as const;
const FORWARDING = [
  {
    name: "forward",
    value: "URL",
    example: "rerun+http://10.0.0.5:9876/proxy",
    several: true,
    show: hideSecrets,
    help: "Send on what --save keeps, from the disk; may be given often",
  },
  {
    name: "forward-rate",
    value: "RATE",
    example: "2MB/s",
    help: "No more than so many bytes a second to each [no limit]",
  },
  {
    name: "on-forward-behind",
    value: "WHAT",
    example: "keep",
    default: "drop",
    help: "At twice --keep-size: drop what is unsent, or keep",
  },
  {
    name: "ready-lag",
    value: "TIME",
    example: "10m",
    default: "10m",
    help: "Further behind, /readyz says not ready; or never",
  },
  {
    name: "box",
    value: "NAME",
    example: "box-7",
    help: "Name of this box, for viewers behind NATS [the machine's]",
  },
] as const satisfies readonly CliOption[];

const VIEWING = [
  { name: "serve-web", help: "Show live what is logged: a WebSocket for viewers, and a page" },
  { name: "serve-grpc", help: "As --serve-web: Rerun's name for it" },
  { name: "web-viewer", help: "As --serve-web, and opens the page in the browser" },
  {
    name: "ws-server-port",
    value: "PORT",
    example: "9877",
    default: "9877",
    help: "Port of the WebSocket; 0 picks a free one and prints it",
  },
  {
    name: "web-viewer-port",
    value: "PORT",
    example: "9090",
    default: "9090",
    help: "Port of the page; 0 picks a free one and prints it",
  },
  {
    name: "server-memory-limit",
    value: "SIZE",
    example: "25%",
    default: "25%",
    help: "Memory for late viewers' history, or a share of all (4GiB)",
  },
  {
    name: "newest-first",
    help: "Give late viewers what is live first, and history backwards",
  },
  {
    name: "viewer-latency",
    value: "TIME",
    example: "2s",
    help: "Leave out images for slow viewers once they are older [never]",
  },
  ...limitOptions(VIEWER_LIMITS),
  {
    name: "allow-host",
    value: "NAMES",
    example: "robot.local",
    list: true,
    help: "Host names that viewers may ask for: robot.local,rob",
  },
  {
    name: "allow-origin",
    value: "ORIGINS",
    example: "https://example.com",
    list: true,
    help: "Other pages that may read: https://a.com,https://b.com",
  },
  {
    name: "viewer-token",
    value: "TOKEN",
    example: "SECRET",
    secret: true,
    help: "What viewers must know; only in RERELAY_VIEWER_TOKEN or a file",
  },
  {
    name: "viewer-token-file",
    value: "FILE",
    example: "token.txt",
    help: "A file that holds what viewers must know, and nothing else",
  },
  {
    name: "allow-delete",
    help: "Let viewers with the token remove files that --save closed",
  },
] as const satisfies readonly CliOption[];

const OUTPUT = [
  { name: "quiet", help: "No line for each client, no status line; warnings stay" },
  {
    name: "log-level",
    value: "LEVEL",
    example: "debug",
    default: "info",
    help: "error, warn, info, debug or trace",
  },
  {
    name: "log-format",
    value: "FORMAT",
    example: "json",
    default: "text",
    help: "text, or json with one object a line",
  },
  {
    name: "config",
    value: "FILE",
    example: "rerelay.toml",
    help: "Read options from this TOML file too: see Configuration",
  },
  { name: "version", short: "V", help: "Print the version; --json adds what it runs on" },
  { name: "help", short: "h", help: "Print this text" },
] as const satisfies readonly CliOption[];

/** The sections of the help text, in their order. */
export const OPTION_GROUPS = {
  Listening: LISTENING,
  Saving: SAVING,
  Fleet: FLEET,
  Forwarding: FORWARDING,
  Viewing: VIEWING,
  Limits: LIMIT_OPTIONS,
  Output: OUTPUT,
} as const;

/** All options in the order of the help text. */
export const OPTION_TABLE = [
  ...LISTENING,
  ...SAVING,
  ...FLEET,
  ...FORWARDING,
  ...VIEWING,
  ...LIMIT_OPTIONS,
  ...OUTPUT,
] as const;

/** Options that make sense only on the command line. */
const QUESTIONS: readonly string[] = ["config", "help", "version"];

/** Options that a configuration file and the environment may set. */
export const SETTABLE: readonly CliOption[] = OPTION_TABLE.filter(({ name }) =>
  !QUESTIONS.includes(name)
);
