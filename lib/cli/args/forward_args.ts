/**
 * The options of `--forward`, and which go together.
 *
 * @module
 */
import { targetName } from "../../forward/open_target.ts";
import { hideSecrets } from "../../forward/url.ts";
import { mayShareServers, parseNatsAddress } from "../../nats/address.ts";
import { hasSerialNames, parseSavePattern } from "../../sinks/file/save_pattern.ts";
import { parseDuration, parseSize } from "../terminal/units.ts";
import { type ArgReader, oneOf, UsageError } from "./arg_reader.ts";
import { type NatsArgs, natsArgs } from "./from_args.ts";
import type { SaveOptions } from "./save_args.ts";

/** Where recordings are forwarded to. */
export interface ForwardArgs {
  /** URLs, with their secrets. */
  readonly targets: readonly string[];
  /** Bytes a second to each target; infinite if not set. */
  readonly maxBytesPerSec: number;
  /** Seconds that a target may be behind while the server is ready; infinite for `never`. */
  readonly readyLagSec: number;
  /** Name of this box; absent for that of the machine. */
  readonly box?: string;
  readonly nats: NatsArgs;
}

/**
 * Default of `--keep-size` with `--forward`, in bytes, so that forwarded recordings do not fill the
 * disk.
 */
const KEEP_BYTES = 20 * 2 ** 30;

/**
 * Reads the options of `--forward`.
 *
 * @param args where they are set
 * @param save options of `--save`, if it is given
 * @returns these options, and those of `--save`, which they may change
 * @throws {UsageError}
 */
export function forwardOptions(
  args: ArgReader,
  save: SaveOptions | undefined,
): { readonly forward?: ForwardArgs; readonly save?: SaveOptions } {
  const given = args.text("forward");
  if (given === undefined) {
    const about = args.given(["forward-rate", "on-forward-behind", "ready-lag", "box"]);
    if (about !== undefined) {
      throw new UsageError(`${args.where(about)} is about --forward: add --forward URL`);
    }
    return save === undefined ? {} : { save };
  }
  const targets = given.split(/\s+/).filter((url) => url !== "");
  // What has no scheme is part of what stands before it, a password perhaps: then it is all shown as one.
  const isEachOne = targets.every((url) => url.includes("://"));
  const shown = (url: string) => hideSecrets(isEachOne ? url : given);
  // Both would have one cursor, or send each message twice to one stream.
  const names = targets.map((url) => args.read("forward", () => targetName(url), shown(url))!);
  const twice = names.find((name, i) => names.slice(0, i).some((other) => isSame(name, other)));
  if (twice !== undefined) {
    throw new UsageError(`${args.where("forward")} names ${twice} twice: once is enough`);
  }
  if (save === undefined || !hasSerialNames(parseSavePattern(save.path))) {
    const fix = save === undefined
      ? "add --save 'rec/{application_id}-{part}.rrd'"
      : "put {part}, {date} or {time} into --save";
    throw new UsageError(`${args.where("forward")} sends on what --save keeps, in parts: ${fix}`);
  }
  const unforwarded = args.read("on-forward-behind", oneOf<"drop" | "keep">(["drop", "keep"])) ??
    "drop";
  const maxBytesPerSec = args.read("forward-rate", parseRate) ?? Infinity;
  const readyLagSec = args.read("ready-lag", parseLag) ?? 600;
  const keep = { ...save.keep, bytes: save.keep.bytes ?? KEEP_BYTES, unforwarded } as const;
  const box = args.text("box");
  const nats = natsArgs(args);
  return {
    forward: { targets, maxBytesPerSec, readyLagSec, nats, ...(box !== undefined && { box }) },
    save: { ...save, keep },
  };
}

/**
 * Refuses a target that is this server itself: what it forwards would come back to it, and be saved
 * twice. Its default port is that of a Rerun server, so this is easily written.
 *
 * @param args where they are set
 * @param forward where recordings are forwarded to
 * @param own where this server listens
 * @throws {UsageError}
 */
export function checkForwardsElsewhere(
  args: ArgReader,
  forward: ForwardArgs | undefined,
  own: { readonly bind: string; readonly port: number },
): void {
  const itself = forward?.targets.map(targetName).find((name) => isItself(name, own));
  if (itself === undefined) return;
  throw new UsageError(
    `${args.where("forward")} ${itself} is this server itself, which would save all twice: give ` +
      "the address of the other server, or this one another --port",
  );
}

/** Whether a name of a target is that of this server, as far as its options tell. */
function isItself(name: string, { bind, port }: { bind: string; port: number }): boolean {
  const host = /^rerun\+http:\/\/\[?([^\]]*)\]?:(\d+)\/proxy$/.exec(name);
  if (host === null || Number(host[2]) !== port) return false;
  const listensAt = (address: string) => {
    if (bind === "0.0.0.0") return LOOPBACK_4.test(address);
    if (bind === "::") return LOOPBACK_4.test(address) || address === "::1";
    // Another address of this machine may have a server of its own at the same port.
    return addressesOf(bind).includes(address);
  };
  return host[1] === bind || addressesOf(host[1]!).some(listensAt);
}

const LOOPBACK_4 = /^127(\.\d+){3}$/;

/** The addresses that a name or an address may lead to, as far as it tells. */
function addressesOf(host: string): readonly string[] {
  return /^localhost$/i.test(host) ? ["127.0.0.1", "::1"] : [host];
}

/** Whether two names of targets are of one place. */
function isSame(a: string, b: string): boolean {
  if (![a, b].every((name) => /^(nats|tls):/.test(name))) return a === b;
  return mayShareServers(parseNatsAddress(a), parseNatsAddress(b));
}

function parseLag(text: string): number {
  return text === "never" ? Infinity : parseDuration(text);
}

/** Reads a rate such as `2MB/s`; `/s` may be left out. */
function parseRate(text: string): number {
  try {
    return parseSize(text.replace(/\/s$/, ""));
  } catch {
    throw new RangeError("expected a size a second, such as 2MB/s");
  }
}
