/**
 * Sends messages of a file to a server, by the TCP protocol of SDK 0.9 to 0.22 or by gRPC.
 *
 * @module
 */
import { connectRetrying } from "../../adapters/tcp/node_connect.ts";
import { connectGrpc } from "../../adapters/tcp/node_grpc.ts";
import { Bridge } from "../../bridge/bridge.ts";
import { RerelayError } from "../../base/errors.ts";
import { readFrame } from "../../comms/grpc/message_proxy.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import { isNewProtobuf } from "../../encoding/rrd/same_encoding.ts";
import { packetPieces } from "../../recordings/replay.ts";
import { plural } from "../../base/plural.ts";
import { InputError } from "./input.ts";
import type { ReplayTarget } from "./targets.ts";

/**
 * The warning for newer messages by TCP: Rerun's servers of that time do not accept TCP clients any
 * more.
 */
const NEWER = "warning: these messages are of Rerun 0.23 or later: Rerelay takes them, " +
  "but no server of Rerun does over TCP; it takes --to rerun+http://HOST:PORT/proxy";

/** A connection to one server, for one file. */
export interface ReplaySender {
  /**
   * Sends a message when there is room for it; gives `false` if the message has no form for this
   * server.
   */
  send(msg: LogMsg): Promise<boolean>;
  /** Ends it, and waits until the server has taken all. */
  finish(): Promise<void>;
  /** Whether an error comes from the server or the connection to it. */
  isLost(error: unknown): boolean;
  /** Warnings to be written at the end, one line each. */
  readonly warnings: string[];
  destroy(): void;
}

/**
 * Connects; tries again until the time is up.
 *
 * @param target which server
 * @param timeoutMs how long to try
 * @param file its name, for errors
 * @param tell says a line at once
 * @throws {RerelayError} if there is no server within that time
 */
export function senderTo(
  target: ReplayTarget,
  timeoutMs: number,
  file: string,
  tell: (text: string) => void,
): Promise<ReplaySender> {
  return target.protocol === "tcp"
    ? tcpSender(target, timeoutMs, tell)
    : grpcSender(target, timeoutMs, file);
}

async function tcpSender(
  { hostname, port }: ReplayTarget,
  timeoutMs: number,
  tell: (text: string) => void,
): Promise<ReplaySender> {
  const socket = await connectRetrying(hostname, port, timeoutMs);
  let isTold = false;
  return {
    async send({ encoded }) {
      if (isNewProtobuf(encoded.header) && !isTold) {
        isTold = true;
        tell(NEWER);
      }
      for (const piece of packetPieces(encoded)) await socket.write(piece);
      return true;
    },
    finish: () => socket.finish(),
    isLost: (error) => error instanceof Error && "code" in error,
    warnings: [],
    destroy: () => socket.destroy(),
  };
}

async function grpcSender(
  { hostname, port }: ReplayTarget,
  timeoutMs: number,
  file: string,
): Promise<ReplaySender> {
  const socket = await connectGrpc(hostname, port, timeoutMs);
  const bridge = new Bridge({ sharesData: true });
  let unknown = 0;
  return {
    async send(msg) {
      if (isOfTables(msg)) throw new InputError(file, tablesText(msg), undefined);
      const frames = bridge.messages(msg).map((each) => readFrame(each, "v1alpha1"));
      if (!frames.every((frame) => typeof frame !== "string")) {
        unknown++;
        return false;
      }
      for (const frame of frames) await socket.send(frame);
      return true;
    },
    finish: () => socket.finish(),
    isLost: (error) => error instanceof RerelayError && !(error instanceof InputError),
    get warnings() {
      const { bridged, damaged } = bridge.counts;
      return [
        ...(bridged === 0 ? [] : [`${plural(bridged, "message")} sent in the form of Rerun 0.23`]),
        ...(damaged === 0 ? [] : [`${plural(damaged, "chunk")} of a schema that can't be read`]),
        ...(unknown === 0
          ? []
          : [`${plural(unknown, "message")} left out, for which gRPC has no form`]),
      ];
    },
    destroy: () => socket.destroy(),
  };
}

/** Whether a message is of SDK 0.16 or older, which logged tables; these have no form of today. */
function isOfTables({ encoded: { header } }: LogMsg): boolean {
  const { major, minor } = header.version;
  return !isNewProtobuf(header) && major === 0 && minor < 17;
}

function tablesText({ encoded: { header: { version: { major, minor, patch } } } }: LogMsg): string {
  return `it is of SDK ${major}.${minor}.${patch}, which logs tables: by gRPC goes what 0.17 and ` +
    "later log, and the rest by --to HOST:PORT";
}
