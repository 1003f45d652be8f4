/** Viewers that read bytes through each door, and hand them on. */
import { connect } from "node:net";
import type { Cli } from "../conformance/cli_process.ts";
import { rawCall } from "./raw_call.ts";

/** The ways to a viewer. */
export const DOORS = ["websocket", "http", "grpc", "grpc-web"] as const;

/** One of them. */
export type Door = typeof DOORS[number];

/** A viewer that reads. */
export interface Reader {
  /** Resolves when its connection has ended, by whoever. */
  readonly ended: Promise<void>;
  /** Leaves. */
  close(): void;
}

/** Where each door is. */
export type Ports = Readonly<Record<Door, number>>;

/** The ports of a command line with `--serve-web`. */
export async function portsOf({ port, child }: Cli): Promise<Ports> {
  const [, socket] = await child.waitFor(/WebSocket server at ws:\/\/\S+:(\d+)\./, 10_000);
  const [, page] = await child.waitFor(/web viewer at http:\/\/\S+:(\d+)\//, 10_000);
  return { websocket: Number(socket), http: Number(page), grpc: port, "grpc-web": Number(page) };
}

const METHOD = "/rerun.sdk_comms.v1alpha1.MessageProxyService/ReadMessages";

/**
 * Reads.
 *
 * @param door through which
 * @param port there, or that of a link to it
 * @param onBytes is given all that is no head of the door's own protocol, but frames' heads
 */
export function readDoor(door: Door, port: number, onBytes: (bytes: Uint8Array) => void): Reader {
  if (door === "grpc") return rawCall(port, METHOD, onBytes);
  return readSocket(port, REQUESTS[door], onBytes);
}

const line = (...lines: string[]) => [...lines, "Host: localhost", "", ""].join("\r\n");

/** By HTTP/1.1; what is between the pieces of a body is far from the marks in them. */
const REQUESTS: Readonly<Record<Exclude<Door, "grpc">, string>> = {
  websocket: line(
    ...["GET / HTTP/1.1", "Upgrade: websocket", "Connection: Upgrade"],
    ...["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="],
  ),
  http: line("GET /stream.rrd HTTP/1.1"),
  "grpc-web": line(
    ...[`POST ${METHOD} HTTP/1.1`, "Content-Type: application/grpc-web+proto"],
    "Content-Length: 5",
  ) + "\0".repeat(5),
};

function readSocket(
  port: number,
  request: string,
  onBytes: (bytes: Uint8Array) => void,
): Reader {
  const socket = connect(port, "127.0.0.1", () => void socket.write(request));
  socket.on("error", () => {});
  socket.on("data", onBytes);
  const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  return { ended, close: () => void socket.destroy() };
}
