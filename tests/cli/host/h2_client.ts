/** gRPC calls to a command line, by the client's half of HTTP/2 over a bare socket. */
import { connect } from "node:net";
import { H2Connection } from "../../../lib/comms/h2/connection.ts";
import { framesOf } from "../../comms/grpc/frames.ts";
import { concat } from "../../encoding/rrd_builder.ts";
import { drain } from "../../comms/h2/take.ts";

/** A call, and what came of it so far. */
export interface Call {
  /** The messages of the answer. */
  readonly messages: () => Uint8Array[];
  /** Waits until there are so many. */
  until(messages: number): Promise<void>;
  /** Resolves with `grpc-status`, and what it says. */
  readonly ended: Promise<[status: number, text: string]>;
}

/**
 * Calls a method with a body that is whole.
 *
 * @param port of 127.0.0.1
 * @param method of the message proxy
 * @param body its frames
 * @param metadata more header fields
 */
export function call(
  port: number,
  method: string,
  body: Uint8Array,
  metadata: Record<string, string> = {},
): Call {
  const h2 = new H2Connection("client");
  const socket = connect(port, "127.0.0.1");
  const parts: Uint8Array[] = [];
  const ended = Promise.withResolvers<[number, string]>();
  let onData = () => {};
  let isTaking = false;
  const send = () => {
    if (isTaking) return;
    isTaking = true;
    socket.write(drain(h2));
    isTaking = false;
  };
  h2.onWake = () => queueMicrotask(send);
  const stream = h2.request([
    [":method", "POST"],
    [":scheme", "http"],
    [":path", `/rerun.sdk_comms.v1alpha1.MessageProxyService/${method}`],
    [":authority", `127.0.0.1:${port}`],
    ["te", "trailers"],
    ["content-type", "application/grpc"],
    ...Object.entries(metadata),
  ])!;
  let status: readonly [number, string] = [-1, ""];
  const learn = (fields: ReadonlyMap<string, string>) => {
    const code = fields.get("grpc-status");
    if (code !== undefined) status = [Number(code), fields.get("grpc-message") ?? ""];
  };
  const end = () => {
    ended.resolve([...status]);
    onData();
    socket.end();
  };
  stream.sink = {
    headers: learn,
    data(bytes) {
      parts.push(bytes.slice());
      stream.consume(bytes.length);
      onData();
    },
    end(trailers) {
      learn(trailers);
      end();
    },
    gone(code, reason) {
      status = [-code - 1, reason];
      end();
    },
  };
  stream.write(body);
  stream.end();
  socket.on("connect", send);
  socket.on("data", (bytes: Uint8Array) => h2.push(bytes));
  socket.on("error", (error: Error) => h2.finish(error));
  socket.on("close", () => h2.finish());
  const messages = () => wholeFrames(concat(...parts));
  return {
    messages,
    until: (count) =>
      new Promise((resolve, reject) => {
        onData = () => messages().length >= count && resolve();
        onData();
        ended.promise.then((end) => reject(new Error(`it ended with ${end}`)));
      }),
    ended: ended.promise,
  };
}

/** Those that have come whole. */
function wholeFrames(bytes: Uint8Array<ArrayBuffer>): Uint8Array[] {
  let end = 0;
  for (;;) {
    if (end + 5 > bytes.length) break;
    const next = end + 5 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(end + 1);
    if (next > bytes.length) break;
    end = next;
  }
  return framesOf(bytes.slice(0, end));
}
