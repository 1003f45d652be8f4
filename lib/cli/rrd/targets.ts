/**
 * The servers that `rrd replay` sends to.
 *
 * @module
 */
import { UsageError } from "../args/arg_reader.ts";
import { shownArgument } from "../args/shown.ts";

/** Rerun's default port, for SDKs of all versions. */
const PORT = 9876;

/** A server, and the protocol to use. */
export interface ReplayTarget {
  /** The TCP protocol of SDK 0.9 to 0.22, or gRPC, as SDKs since then use it. */
  readonly protocol: "tcp" | "grpc";
  readonly hostname: string;
  readonly port: number;
}

/**
 * Reads the values of `--to`: one server, or one of each kind.
 *
 * @param given `HOST:PORT`, or `rerun+http://HOST:PORT/proxy`
 * @throws {UsageError}
 */
export function replayTargets(given: readonly string[]): ReplayTarget[] {
  const targets = given.map((text) => {
    try {
      return text.includes("://") ? parseUrl(text) : parseAddress(text);
    } catch (error) {
      throw new UsageError(`--to ${shownArgument(text, 60)}: ${(error as Error).message}`);
    }
  });
  const [first, second] = targets;
  if (targets.length > 2 || first !== undefined && first.protocol === second?.protocol) {
    throw new UsageError(
      "--to is given twice for the same kind of server: one may be HOST:PORT, for what SDKs up to " +
        "0.22 logged, and one rerun+http://HOST:PORT/proxy",
    );
  }
  if (first === undefined) return [{ protocol: "tcp", hostname: "127.0.0.1", port: PORT }];
  return targets;
}

/** Chooses the server for a file: the one of its kind, or the only one. */
export function targetFor(targets: readonly ReplayTarget[], isNewer: boolean): ReplayTarget {
  const protocol = isNewer ? "grpc" : "tcp";
  return targets.find((target) => target.protocol === protocol) ?? targets[0]!;
}

/** The server, as it is written behind `--to`. */
export function targetText({ protocol, hostname, port }: ReplayTarget): string {
  const address = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  return protocol === "tcp" ? address : `rerun+http://${address}/proxy`;
}

const EXPECTED = "expected HOST:PORT, such as 127.0.0.1:9876 or [::1]:9876, or " +
  "rerun+http://127.0.0.1:9876/proxy";

function parseAddress(text: string, protocol: ReplayTarget["protocol"] = "tcp"): ReplayTarget {
  const [, v6, name, digits] = /^(?:\[([^\]]+)\]|([^:\s/?#@]+))(?::(\d+))?$/.exec(text) ?? [];
  const hostname = v6 ?? name;
  const port = Number(digits ?? PORT);
  if (hostname !== undefined && port >= 1 && port <= 65535) return { protocol, hostname, port };
  throw new RangeError(EXPECTED);
}

function parseUrl(text: string): ReplayTarget {
  const [, scheme = "", address = "", path = ""] = /^([^:]*):\/\/([^/]*)(.*)$/s.exec(text) ?? [];
  if (/^(rerun|rerun\+https|https)$/i.test(scheme)) {
    throw new RangeError("TLS is not spoken here: give rerun+http://HOST:PORT/proxy");
  }
  if (!/^(rerun\+)?http$/i.test(scheme) || !/^(\/|\/proxy\/?)?$/.test(path)) {
    throw new RangeError(EXPECTED);
  }
  return parseAddress(address, "grpc");
}
