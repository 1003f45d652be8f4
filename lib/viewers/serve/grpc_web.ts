/**
 * gRPC-web for viewers in browsers: calls in requests of HTTP/1.1.
 *
 * @module
 */
import { GrpcService } from "../../comms/grpc/service.ts";
import { GrpcError, STATUS } from "../../comms/grpc/status.ts";
import { corsHeaders, isGrpcWeb } from "../../comms/grpc/web_body.ts";
import { answerWeb } from "../../comms/grpc/web_call.ts";
import { proxyMethod } from "../../comms/grpc/message_proxy.ts";
import type { ConnectionInfo } from "./join.ts";
import type { MessageReaders, ReaderPeer } from "./read_messages.ts";

const ELSEWHERE = {
  WriteMessages: "Log",
  WriteTable: "Send tables",
  ReadTables: "Read tables",
} as const;

/** Answers a request of gRPC-web; gives `undefined` for all others. */
export type GrpcWeb = (
  request: Request,
  info: Partial<ConnectionInfo>,
) => Promise<Response> | undefined;

/**
 * Answers calls by gRPC-web, and browsers' questions whether they may call (CORS). Who may ask at
 * all is decided before.
 *
 * @param readers who answers `ReadMessages`
 */
export function grpcWeb(readers: MessageReaders): GrpcWeb {
  const service = new GrpcService<ReaderPeer>({
    check({ method: { name } }) {
      if (name !== "ReadMessages") throw onlyRead(ELSEWHERE[name]);
    },
    // `check` refuses all of these before.
    writeMessages: (call) => call.fail(onlyRead(ELSEWHERE.WriteMessages)),
    readMessages: (info, peer) => readers.read(info, peer),
    writeTable() {
      throw onlyRead(ELSEWHERE.WriteTable);
    },
    readTables() {
      throw onlyRead(ELSEWHERE.ReadTables);
    },
    isServing: () => true,
    // The caller was told, and nothing is wrong with this server.
    failed() {},
  });
  return (request, { remoteAddr }) => {
    const { method, headers } = request;
    const cors = corsHeaders(headers);
    const path = new URL(request.url).pathname;
    const asks = method === "OPTIONS" && headers.get("access-control-request-method") === "POST";
    if (asks && proxyMethod(path) !== undefined) {
      return Promise.resolve(new Response(null, { status: 204, headers: cors }));
    }
    if (method !== "POST" || !isGrpcWeb(headers.get("content-type"))) return undefined;
    const peer = { isBrowser: true, ...(remoteAddr === undefined ? {} : { addr: remoteAddr }) };
    return answerWeb(request, (stream) => service.accept(stream, peer)).then((response) => {
      for (const [name, value] of Object.entries(cors)) response.headers.set(name, value);
      return response;
    });
  };
}

function onlyRead(what: string): GrpcError {
  return new GrpcError(STATUS.UNIMPLEMENTED, `${what} by gRPC over HTTP/2, at the port for SDKs`);
}
