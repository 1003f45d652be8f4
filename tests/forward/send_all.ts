/** Sends what was recorded of an SDK to a server. */
import { connect } from "node:net";
import { once } from "node:events";
import { dialSystem, PROXY } from "../server/grpc_peer.ts";

/** Sends what an SDK sent by TCP; resolves when the server has closed the connection. */
export async function sendByTcp(port: number, bytes: Uint8Array): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  socket.resume().end(bytes);
  await once(socket, "close");
}

/** Makes a `WriteMessages` call; resolves when it is answered. */
export async function sendByGrpc(port: number, body: Uint8Array): Promise<void> {
  const peer = await dialSystem({ hostname: "127.0.0.1", port });
  const call = peer.call(`${PROXY}/WriteMessages`);
  await call.send(body);
  call.stream.end();
  await call.status;
  peer.cut();
}
