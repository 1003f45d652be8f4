/** In a process of its own: answers every request, with a handshake deadline of a second. */
import { nodeHttp } from "../../lib/adapters/http/node_http.ts";
import { say } from "./child.ts";

const { addr } = await nodeHttp.serve({
  hostname: "127.0.0.1",
  port: 0,
  handshakeTimeoutSec: 1,
  maxConnections: 10_000,
  fetch: () => new Response("here"),
  onError: (error) => {
    throw error;
  },
});
say(addr);
