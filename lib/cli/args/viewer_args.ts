/**
 * The options of `--serve-web`, and which go together.
 *
 * @module
 */
import { VIEWER_LIMITS } from "../../base/limit_table.ts";
import { type ArgReader, parsePort, UsageError } from "./arg_reader.ts";
import { readLimit } from "./limit_table.ts";
import { parseToken, secretArg, type SecretFile } from "./secret_args.ts";
import { parseDuration, parseSize } from "../terminal/units.ts";

/** An amount of memory: in bytes, or as a share of the machine's. */
export type MemoryLimit = { readonly bytes: number } | { readonly share: number };

/** How live viewers are served. */
export interface ViewerArgs {
  /** Whether a browser is opened. */
  readonly openBrowser: boolean;
  readonly socketPort: number;
  readonly pagePort: number;
  /** Memory for history; absent for a quarter of the machine's, if that can be seen. */
  readonly memoryLimit?: MemoryLimit;
  /** Value of `--viewer-queue`, which has no effect any more. */
  readonly queueBytes?: number;
  readonly maxViewers: number;
  /** Age in seconds above which images are left out; infinite if none are. */
  readonly latencySec: number;
  /** Whether viewers get what is live before history. */
  readonly newestFirst: boolean;
  readonly allowHosts: readonly string[];
  readonly allowOrigins: readonly string[];
  readonly token?: string;
  /** The file that holds the token, and where it was named. */
  readonly tokenFile?: SecretFile;
  /** Whether viewers with the token may remove saved files. */
  readonly allowDelete?: true;
  /** Files and folders that are shown beside what is logged. */
  readonly files?: readonly string[];
}

/** The variable of the token, which keeps it out of the list of processes. */
export const TOKEN_VARIABLE = "RERELAY_VIEWER_TOKEN";

/** Options that need `--serve-web`. */
const DEPENDENT = [
  "ws-server-port",
  "web-viewer-port",
  "server-memory-limit",
  "viewer-queue",
  "newest-first",
  "viewer-latency",
  "max-viewers",
  "allow-host",
  "allow-origin",
  "viewer-token",
  "viewer-token-file",
  "allow-delete",
] as const;

/**
 * Reads the options of `--serve-web`.
 *
 * @param args all options
 * @param files paths of files and folders to show
 * @throws {UsageError}
 */
export function viewerArgs(
  args: ArgReader,
  files: readonly string[] = [],
): ViewerArgs | undefined {
  const openBrowser = args.flag("web-viewer");
  if (!args.flag("serve-web") && !args.flag("serve-grpc") && !openBrowser) {
    const given = args.given(DEPENDENT);
    if (given !== undefined) {
      throw new UsageError(`${args.where(given)} is about live viewers: add --serve-web`);
    }
    return undefined;
  }
  const { viewerQueueBytes, maxViewers } = VIEWER_LIMITS;
  const memoryLimit = args.read("server-memory-limit", parseMemoryLimit);
  const queueBytes = readLimit(args, viewerQueueBytes);
  const { value: token, file: tokenFile } = secretArg(args, "viewer-token", parseToken);
  const allowDelete = args.flag("allow-delete");
  if (allowDelete && token === undefined && tokenFile === undefined) {
    throw new UsageError(
      `${args.where("allow-delete")} is for viewers with a token: set ${TOKEN_VARIABLE}, ` +
        "or add --viewer-token-file",
    );
  }
  return {
    openBrowser,
    socketPort: args.read("ws-server-port", parsePort) ?? 9877,
    pagePort: args.read("web-viewer-port", parsePort) ?? 9090,
    ...(memoryLimit === undefined ? {} : { memoryLimit }),
    ...(queueBytes === undefined ? {} : { queueBytes }),
    latencySec: args.read("viewer-latency", parseLatency) ?? Infinity,
    newestFirst: args.flag("newest-first"),
    maxViewers: readLimit(args, maxViewers) ?? maxViewers.default,
    allowHosts: args.read("allow-host", parseHosts) ?? [],
    allowOrigins: args.read("allow-origin", parseOrigins) ?? [],
    ...(token === undefined ? {} : { token }),
    ...(tokenFile === undefined ? {} : { tokenFile }),
    ...(allowDelete ? { allowDelete } : {}),
    ...(files.length > 0 ? { files } : {}),
  };
}

/**
 * Reads an amount of memory such as `25%` or `4GiB`.
 *
 * @throws {RangeError} with what is expected instead
 */
export function parseMemoryLimit(text: string): MemoryLimit {
  const [, percent] = /^(\d+(?:\.\d+)?)%$/.exec(text) ?? [];
  if (percent === undefined) return { bytes: parseSize(text) };
  const share = Number(percent) / 100;
  if (share > 0 && share <= 1) return { share };
  throw new RangeError("expected above 0% and up to 100%, such as 25%");
}

function parseLatency(text: string): number {
  return text === "never" ? Infinity : parseDuration(text);
}

function parseHosts(text: string): string[] {
  return text.split(",").map((host) => {
    const name = /^\[.*\]$/.test(host) || !host.includes(":") ? host : `[${host}]`;
    if (/^[^\s/?#@\\]+$/.test(name) && URL.canParse(`http://${name}:80/`)) return host;
    throw new RangeError("expected host names without ports, such as robot.local,10.0.0.5");
  });
}

function parseOrigins(text: string): string[] {
  return text.split(",").map((origin) => {
    if (/^https?:\/\/[^/]+\/?$/.test(origin) && URL.canParse(origin)) return new URL(origin).origin;
    throw new RangeError("expected origins such as https://example.com,http://10.0.0.7:8080");
  });
}
