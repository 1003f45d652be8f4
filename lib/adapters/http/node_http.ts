/**
 * HTTP on Deno and on Bun, by the `node:http` that both have: Deno's own server has no deadline
 * for a request's headers, and neither's WebSockets say what waits in a way that both share.
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { TcpBindError } from "../../base/errors.ts";
import { textResponse } from "../../base/text_response.ts";
import type { SocketListener } from "./_deno_sockets.ts";
import { HttpConnections } from "./_http_connections.ts";
import { sendBody, sendOverSocket, toRequest } from "./_node_messages.ts";
import { NodeViewerSocket } from "./_node_viewer_socket.ts";
import { acceptHeaders } from "./_accept_websocket.ts";
import { ClientFrames } from "../../comms/websocket/client_frames.ts";
import { detectRuntime } from "../runtime.ts";
import { formatAddr, type NetAddr } from "../../base/net_addr.ts";
import type { HttpAdapter, HttpListener, HttpOptions, HttpRequestInfo } from "./types.ts";

/** HTTP by `node:http`. */
export const nodeHttp: HttpAdapter = { serve };

/** All headers of a request together; browsers send less than 2 KB. */
const MAX_HEADER_BYTES = 16 * 1024;

/** Connections that may wait to be accepted; beyond it the system lets clients try again after a second. */
const BACKLOG = 4096;

/** How long closing waits for slow peers, in milliseconds. */
const CLOSE_MS = 1000;

// ------------------------------------------------------------------------------------ listener

async function serve(options: HttpOptions): Promise<HttpListener> {
  // Bun's `node:http` tells of a connection when its first bytes come, and forgets silent ones when
  // it closes: so TCP is accepted here, and the deadlines are our own.
  const http = createServer({ maxHeaderSize: MAX_HEADER_BYTES });
  const connections = new HttpConnections(options);
  const viewers = new Set<NodeViewerSocket>();
  const onSocket = (socket: Socket) => {
    if (connections.add(socket)) http.emit("connection", socket);
  };
  http.on("request", (incoming: IncomingMessage, outgoing: ServerResponse) => {
    connections.asked(incoming.socket);
    outgoing.once("close", () => connections.answered(incoming.socket));
    answer(incoming, outgoing, options);
  });
  http.on("upgrade", (incoming: IncomingMessage, socket: Socket, head: Uint8Array) => {
    connections.asked(socket);
    upgrade(incoming, socket, head, options, viewers);
  });
  const tcp = detectRuntime() === "deno"
    ? (await import("./_deno_sockets.ts")).listenDeno(options, BACKLOG, onSocket)
    : await listen(options, onSocket);
  let closing: Promise<void> | undefined;
  // A server that does not listen closes each connection behind its answer.
  Object.defineProperty(http, "listening", { get: () => closing === undefined });
  const close = async () => {
    tcp.close();
    for (const viewer of viewers) viewer.close(1001, "The server is stopping");
    const timer = setTimeout(() => connections.destroy(), CLOSE_MS);
    await connections.gone();
    clearTimeout(timer);
  };
  return { addr: tcp.addr, close: () => closing ??= close() };
}

function listen(addr: NetAddr, onSocket: (socket: Socket) => void): Promise<SocketListener> {
  const server = createTcpServer({ noDelay: true }, onSocket);
  return new Promise((resolve, reject) => {
    const refused = (cause: unknown) => reject(new TcpBindError(formatAddr(addr), cause));
    server.once("error", refused);
    server.listen({ host: addr.hostname, port: addr.port, backlog: BACKLOG }, () => {
      server.off("error", refused);
      const { address, port } = server.address() as AddressInfo;
      resolve({ addr: { hostname: address, port }, close: () => void server.close() });
    });
  });
}

// ------------------------------------------------------------------------------------- answers

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  options: HttpOptions,
): Promise<void> {
  const response = await respond(incoming, options, () => undefined);
  const length = incoming.headers["content-length"] ?? "0";
  // What is not read must not wait in the connection for the next request.
  if (length !== "0" || incoming.headers["transfer-encoding"]) {
    outgoing.setHeader("connection", "close");
  }
  for (const [name, value] of response.headers) outgoing.setHeader(name, value);
  outgoing.writeHead(response.status);
  await sendBody(incoming.method === "HEAD" ? null : response.body, outgoing);
  if (incoming.method === "HEAD") await response.body?.cancel();
}

async function upgrade(
  incoming: IncomingMessage,
  socket: Socket,
  head: Uint8Array,
  options: HttpOptions,
  viewers: Set<NodeViewerSocket>,
): Promise<void> {
  const accepted = Promise.withResolvers<NodeViewerSocket>();
  let headers: string[] | undefined;
  const response = await respond(incoming, options, () => {
    headers = acceptHeaders(incoming.headers);
    if (headers === undefined) return undefined;
    return { response: new Response(null, { status: 204 }), socket: accepted.promise };
  });
  if (headers === undefined || !response.ok) return sendOverSocket(response, socket);
  socket.setTimeout(0);
  socket.setKeepAlive(true);
  const text = ["HTTP/1.1 101 Switching Protocols", ...headers, "", ""].join("\r\n");
  const answered = new Promise<void>((resolve) => socket.write(text, () => resolve()));
  const viewer = new NodeViewerSocket(socket, answered, new ClientFrames(), head);
  viewers.add(viewer);
  viewer.closed.then(() => viewers.delete(viewer));
  accepted.resolve(viewer);
}

async function respond(
  incoming: IncomingMessage,
  { fetch, onError }: HttpOptions,
  upgrade: HttpRequestInfo["upgrade"],
): Promise<Response> {
  const request = toRequest(incoming);
  if (request instanceof Response) return request;
  const { remoteAddress: hostname, remotePort: port } = incoming.socket;
  const addr = hostname && port ? { remoteAddr: { hostname, port } } : {};
  try {
    return await fetch(request, { ...addr, upgrade });
  } catch (error) {
    onError(error);
    return textResponse(500, "The server failed to answer; its log says why");
  }
}
