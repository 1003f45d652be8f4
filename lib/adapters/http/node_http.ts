/**
 * HTTP on Deno and on Bun, by the `node:http` that both have. Deno's own server has no deadline for
 * a request's headers (https://github.com/denoland/deno/issues/3515), and the WebSockets of the two
 * tell how much waits to be sent in different ways.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { TcpBindError } from "../../base/errors.ts";
import { textResponse } from "../../base/text_response.ts";
import { asSocket, ConnectionSocket, sourceOf } from "./_connection_socket.ts";
import type { SocketListener } from "./_deno_sockets.ts";
import { HttpConnections, NOT_COUNTED } from "./_http_connections.ts";
import { hasBody, sendBody, sendOverSocket, toRequest } from "./_node_messages.ts";
import { type FreeBuffers, NodeViewerSocket } from "./_node_viewer_socket.ts";
import { Turns } from "./_turns.ts";
import { acceptHeaders } from "./_accept_websocket.ts";
import { ClientFrames } from "../../comms/websocket/client_frames.ts";
import { detectRuntime } from "../runtime.ts";
import { formatAddr, type NetAddr } from "../../base/net_addr.ts";
import type {
  HttpAdapter,
  HttpDoor,
  HttpListener,
  HttpOptions,
  HttpRequestInfo,
  HttpServing,
} from "./types.ts";

/** HTTP by `node:http`. */
export const nodeHttp: HttpAdapter = { serve, door };

/** All headers of a request together; browsers send less than 2 KB. */
const MAX_HEADER_BYTES = 16 * 1024;

/** Connections that may wait to be accepted; beyond it the system lets clients try again after a second. */
const BACKLOG = 4096;

/** How long closing waits for slow peers, in milliseconds. */
const CLOSE_MS = 1000;

// ------------------------------------------------------------------------------------ listener

async function serve(options: HttpOptions): Promise<HttpListener> {
  const server = new ConnectionServer(options, new HttpConnections(options));
  const onSocket = (socket: Socket) => {
    if (mayConnect(options, socket.remoteAddress)) server.take(socket);
    else socket.on("error", () => {}).destroy();
  };
  const tcp = detectRuntime() === "deno"
    ? (await import("./_deno_sockets.ts")).listenDeno(options, BACKLOG, onSocket)
    : await listen(options, onSocket);
  let closing: Promise<void> | undefined;
  let isListening = true;
  const leave = () => {
    if (isListening) tcp.close();
    isListening = false;
  };
  const close = () => {
    leave();
    return server.close();
  };
  return { addr: tcp.addr, leave, close: () => closing ??= close() };
}

/** Asks whether an address may connect; where that can't be told, it may not. */
function mayConnect({ isAllowed, onError }: HttpOptions, hostname: string | undefined): boolean {
  if (isAllowed === undefined) return true;
  try {
    // Something else than `true`, such as a promise of it, is no permission.
    return isAllowed(hostname) === true;
  } catch (error) {
    onError(error);
    return false;
  }
}

function door(serving: HttpServing): HttpDoor {
  const server = new ConnectionServer(serving, new HttpConnections(serving, NOT_COUNTED));
  let closing: Promise<void> | undefined;
  return {
    async take(connection, first) {
      const socket = new ConnectionSocket(sourceOf(connection, first));
      const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
      if (closing === undefined) server.take(asSocket(socket));
      else socket.destroy();
      await closed;
    },
    close: () => closing ??= server.close(),
  };
}

/**
 * Serves connections. Bun's `node:http` emits `connection` only when the first bytes come, so that
 * clients that say nothing could not be counted: TCP is accepted elsewhere, and the deadlines are
 * our own. To see it: `createServer().on("connection", () =>
 * console.log("connection")).listen(9000)`, connect to it, and send nothing.
 */
class ConnectionServer {
  readonly #http: Server;
  readonly #connections: HttpConnections;
  readonly #viewers = new Set<NodeViewerSocket>();
  readonly #turns = new Turns();
  readonly #free: FreeBuffers = [];
  #isClosing = false;

  constructor(serving: HttpServing, connections: HttpConnections) {
    this.#connections = connections;
    this.#http = createServer({ maxHeaderSize: MAX_HEADER_BYTES });
    this.#http.on("request", (incoming: IncomingMessage, outgoing: ServerResponse) => {
      connections.asked(incoming.socket);
      outgoing.once("close", () => connections.answered(incoming.socket));
      this.#turns.take(incoming.socket, outgoing, () => void answer(incoming, outgoing, serving));
    });
    this.#http.on("upgrade", (incoming: IncomingMessage, socket: Socket, head: Uint8Array) => {
      connections.asked(socket);
      void this.#upgrade(incoming, socket, head, serving);
    });
    // This server never listens itself, and Deno closes each connection of such a server behind its
    // answer (https://github.com/denoland/deno/issues/35609). So it says that it listens.
    Object.defineProperty(this.#http, "listening", { get: () => !this.#isClosing });
  }

  take(socket: Socket): void {
    if (this.#connections.add(socket)) this.#http.emit("connection", socket);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    for (const viewer of this.#viewers) viewer.close(1001, "The server is stopping");
    const timer = setTimeout(() => this.#connections.destroy(), CLOSE_MS);
    await this.#connections.gone();
    clearTimeout(timer);
  }

  async #upgrade(
    incoming: IncomingMessage,
    socket: Socket,
    head: Uint8Array,
    options: HttpServing,
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
    const viewer = new NodeViewerSocket(socket, answered, new ClientFrames(), head, this.#free);
    this.#viewers.add(viewer);
    viewer.closed.then(() => this.#viewers.delete(viewer));
    accepted.resolve(viewer);
  }
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
  options: HttpServing,
): Promise<void> {
  const response = await respond(incoming, options, () => undefined);
  // A body that was not read would stand before the next request: on Deno that request would never
  // be answered (https://github.com/denoland/deno/issues/36821).
  if (hasBody(incoming) && !incoming.readableEnded) outgoing.setHeader("connection", "close");
  for (const [name, value] of response.headers) outgoing.setHeader(name, value);
  outgoing.writeHead(response.status);
  await sendBody(incoming.method === "HEAD" ? null : response.body, outgoing);
  if (incoming.method === "HEAD") await response.body?.cancel();
}

async function respond(
  incoming: IncomingMessage,
  { fetch, onError, handshakeTimeoutSec, bodies }: HttpServing,
  upgrade: HttpRequestInfo["upgrade"],
): Promise<Response> {
  const request = toRequest(incoming, handshakeTimeoutSec * 1000, bodies);
  if (request instanceof Response) return request;
  const { remoteAddress: hostname, remotePort: port } = incoming.socket;
  const addr = hostname && port ? { remoteAddr: { hostname, port } } : {};
  try {
    return await fetch(request, { ...addr, url: request.url, upgrade });
  } catch (error) {
    onError(error);
    return textResponse(500, "The server failed to answer; its log says why");
  }
}
