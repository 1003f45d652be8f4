/**
 * Live viewers: the hub they join, the WebSocket relay and the HTTP app they come through, and what
 * guards these.
 *
 * @example
 * ```ts
 * import { httpApp, serveHttp, viewerHub, websocketRelay } from "@rerelay/server/viewers";
 * import { assertEquals } from "@std/assert";
 *
 * const hub = viewerHub(); // a sink for fanOut
 * const app = httpApp({ hub });
 * const page = await serveHttp({ port: 0, fetch: app.fetch });
 * const socket = await serveHttp({ port: 0, fetch: websocketRelay(hub) });
 * const response = await fetch(`http://127.0.0.1:${page.addr.port}/healthz`);
 * assertEquals(await response.text(), "ok\n");
 * await hub.close();
 * await Promise.all([page.close(), socket.close()]);
 * ```
 *
 * @module
 */
export { viewerHub } from "./hub.ts";
export type * from "./types.ts";
export type { RecordingSummary } from "../stores/recordings.ts";
export { httpApp } from "./serve/http_app.ts";
export type { HttpApp, HttpAppOptions } from "./serve/http_app.ts";
export type { PageAsset, PageAssets } from "./serve/page_answer.ts";
export { pageAssets } from "./page/assets.ts";
export type { ClientJson, RecordingJson, ServerStatus, StatusJson } from "./serve/status.ts";
export type { FleetBoxJson, FleetRecordingJson } from "./serve/fleet_list.ts";
export type { FleetBox, FleetRecording } from "../server/nats_fleet.ts";
export type { FileJson } from "./files/file_json.ts";
export type { DownloadEnd, DownloadJson, DownloadStats } from "./files/downloads.ts";
export type { NotOpened, OpenedFile, Removal, Shelf, ShelvedFile } from "../recordings/shelf.ts";
export { type Guard, type GuardedRequest, type GuardOptions, viewerGuard } from "./serve/guard.ts";
export {
  type MessageReaders,
  messageReaders,
  type MessageReadersOptions,
  type ReaderPeer,
} from "./serve/read_messages.ts";
export type { AnswerInfo, CallInfo } from "../comms/grpc/service.ts";
export type { AnswerProgress } from "../comms/grpc/call_stream.ts";
export type { ProxyMethod } from "../comms/grpc/message_proxy.ts";
export type { ProtobufDialect } from "../encoding/protobuf/protobuf_store_info.ts";
export { GrpcError, STATUS, type Status } from "../comms/grpc/status.ts";
export { websocketRelay, type WebSocketRelayOptions } from "./serve/websocket_relay.ts";
export {
  type BunWebSocket,
  relaySocket,
  type RelaySocketOptions,
  type RelayWebSocket,
  type WrappedWebSocket,
} from "./serve/relay_socket.ts";
export type { StallOptions } from "./serve/stall_watch.ts";
export type { ConnectionInfo } from "./serve/join.ts";
export { httpDoor, serveHttp, type ServeHttpOptions } from "./serve/serve_http.ts";
export type {
  BodyLimits,
  HttpAdapter,
  HttpDoor,
  HttpListener,
  HttpOptions,
  HttpRequestInfo,
  HttpServing,
  ViewerSocket,
} from "../adapters/http/types.ts";
export type { NetAddr } from "../base/net_addr.ts";
export { HubClosed, TooManyViewers } from "../base/errors.ts";
