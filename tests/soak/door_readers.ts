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
/** An empty message of gRPC. */
const ASKED = new Uint8Array(5);

/**
 * Reads.
 *
 * @param door through which
 * @param port there, or that of a link to it
 * @param onBytes is given all that is no head of the door's own protocol, but frames' heads
 */
export function readDoor(door: Door, port: number, onBytes: (bytes: Uint8Array) => void): Reader {
  const url = `http://127.0.0.1:${port}`;
  if (door === "websocket") return readSocket(port, onBytes);
  if (door === "grpc") return rawCall(port, METHOD, onBytes);
  if (door === "http") return readBody(`${url}/stream.rrd`, {}, onBytes);
  const headers = { "content-type": "application/grpc-web+proto" };
  return readBody(url + METHOD, { method: "POST", headers, body: ASKED }, onBytes);
}

function readSocket(port: number, onBytes: (bytes: Uint8Array) => void): Reader {
  const socket = connect(port, "127.0.0.1", () => {
    const head = ["GET / HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade"];
    const key = ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="];
    socket.write([...head, ...key, "", ""].join("\r\n"));
  });
  socket.on("error", () => {});
  socket.on("data", onBytes);
  const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  return { ended, close: () => void socket.destroy() };
}

function readBody(url: string, init: RequestInit, onBytes: (bytes: Uint8Array) => void): Reader {
  const end = new AbortController();
  const read = async () => {
    const { body } = await fetch(url, { ...init, signal: end.signal });
    for await (const bytes of body!) onBytes(bytes);
  };
  return { ended: read().catch(() => {}), close: () => end.abort() };
}
