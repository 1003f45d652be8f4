/** A client that speaks gRPC, in memory or over the system's TCP. */
import { connect } from "node:net";
import { once } from "node:events";
import { Readable } from "node:stream";
import type { MemoryNet } from "../../lib/adapters/tcp/memory_tcp.ts";
import type { NetAddr } from "../../lib/base/net_addr.ts";
import { H2Connection } from "../../lib/comms/h2/connection.ts";
import { H2Driver, type H2Socket } from "../../lib/comms/h2/drive.ts";
import type { Field, FieldMap, H2Stream } from "../../lib/comms/h2/types.ts";
import { concat } from "../encoding/rrd_builder.ts";
import { frame, framesOf } from "../comms/grpc/frames.ts";

export const PROXY = "/rerun.sdk_comms.v1alpha1.MessageProxyService";

/** Connects to a server. */
export type DialGrpc = (addr: NetAddr) => Promise<GrpcPeer>;

/** In memory. */
export function dialMemory(net: MemoryNet): DialGrpc {
  return ({ port }) => {
    const client = net.connect(port);
    const writer = client.writable.getWriter();
    writer.closed.catch(() => {});
    return Promise.resolve(
      new GrpcPeer(client.localAddr, {
        readable: client.readable,
        write: (bytes) => writer.write(bytes.slice()),
        setNoDelay() {},
        close: () => client.reset(new Error("reset by peer")),
      }),
    );
  };
}

/** Over the system's TCP. */
export const dialSystem: DialGrpc = async ({ hostname, port }) => {
  const socket = connect({ host: hostname, port });
  socket.on("error", () => {});
  await once(socket, "connect");
  const localAddr = { hostname: socket.localAddress!, port: socket.localPort! };
  return new GrpcPeer(localAddr, {
    readable: Readable.toWeb(socket) as ReadableStream<Uint8Array>,
    write: (bytes) =>
      new Promise((resolve, reject) =>
        socket.write(bytes.slice(), (error) => error ? reject(error) : resolve())
      ),
    setNoDelay: (noDelay) => void socket.setNoDelay(noDelay),
    close: () => void socket.destroy(),
  });
};

/** What a call begins with. */
export function callFields(path: string, metadata: Record<string, string> = {}): Field[] {
  return [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "127.0.0.1"],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
    ...Object.entries(metadata),
  ];
}

/** One connection. */
export class GrpcPeer {
  readonly h2 = new H2Connection("client");
  /** Resolves when the connection is over. */
  readonly ended: Promise<Error | undefined>;
  readonly #socket: H2Socket;

  constructor(readonly localAddr: NetAddr, socket: H2Socket) {
    this.#socket = socket;
    this.ended = new H2Driver(socket, this.h2).run();
  }

  /** Begins a call. */
  call(path: string, metadata: Record<string, string> = {}): PeerCall {
    const stream = this.h2.request(callFields(path, metadata));
    if (stream === undefined) throw new Error("no call may begin");
    return new PeerCall(stream);
  }

  /** A call of one message; gives what it answered. */
  ask(path: string, message: Uint8Array = new Uint8Array(0)): PeerCall {
    const call = this.call(path);
    call.stream.write(frame(message));
    call.stream.end();
    return call;
  }

  /** Breaks the connection. */
  cut(): void {
    this.#socket.close();
  }
}

/** One call. */
export class PeerCall {
  readonly parts: Uint8Array[] = [];
  headers: FieldMap = new Map();
  readonly #ended = Promise.withResolvers<[number, string]>();
  #came = Promise.withResolvers<void>();

  constructor(readonly stream: H2Stream) {
    stream.sink = {
      headers: (headers) => void (this.headers = headers),
      data: (bytes) => {
        this.parts.push(bytes.slice());
        stream.consume(bytes.length);
        this.#came.resolve();
        this.#came = Promise.withResolvers();
        return false;
      },
      end: (trailers) => {
        const of = trailers.size > 0 ? trailers : this.headers;
        const text = decodeURIComponent(of.get("grpc-message") ?? "");
        this.#ended.resolve([Number(of.get("grpc-status") ?? NaN), text]);
      },
      gone: (code, reason) => this.#ended.resolve([-code - 1, reason]),
    };
  }

  /** Status and text of the answer; the status is below 0 where there was none. */
  get status(): Promise<[number, string]> {
    return this.#ended.promise;
  }

  /** Messages of the answer, once there are so many. */
  async messages(atLeast: number): Promise<Uint8Array[]> {
    for (;;) {
      const messages = framesOf(concat(...this.parts));
      if (messages.length >= atLeast) return messages;
      await this.#came.promise;
    }
  }

  /** Sends bytes of the body; resolves when they were handed to the system. */
  send(bytes: Uint8Array): Promise<void> {
    return new Promise((done) => this.stream.write(bytes, done));
  }
}
