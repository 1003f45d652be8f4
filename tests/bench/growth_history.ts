/** How long a viewer takes that joins late, by how much there is to catch up. */
import { once } from "node:events";
import { connect } from "node:net";
import { Cli } from "../conformance/cli_process.ts";
import { framed, HELLO } from "../encoding/rrd_builder.ts";
import { ClientPackets } from "../soak/client_packets.ts";
import { CountingViewer } from "../soak/viewer_clients.ts";

const DEADLINE_MS = 120_000;

/**
 * Fills the history of the command line, and joins.
 *
 * @param runtime what it runs on
 * @param megabytes of the history, by 10^6 bytes
 * @returns seconds from the connect until all has come
 */
export async function catchUp(runtime: "deno" | "bun", megabytes: number): Promise<number> {
  await using cli = await Cli.start(runtime, [
    ...["--serve-web", "--ws-server-port", "0", "--web-viewer-port", "0"],
    ...["--server-memory-limit", "4GB"],
  ]);
  const [, port] = await cli.child.waitFor(/WebSocket server at ws:\/\/\S+:(\d+)\./, 10_000);
  // Who is there from the beginning tells when all is in.
  const early = new CountingViewer(Number(port));
  await once(early.socket, "data");
  const sent = await fill(cli.port, megabytes * 1e6);
  await early.received(sent, DEADLINE_MS);
  early.socket.destroy();
  const began = performance.now();
  const late = new CountingViewer(Number(port));
  await late.received(sent, DEADLINE_MS);
  const sec = (performance.now() - began) / 1000;
  late.socket.destroy();
  return sec;
}

/** Sends packets of a recorded client, and says how many messages that were. */
async function fill(port: number, bytes: number): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {}); // the command line is ended while it stays
  await once(socket, "connect");
  socket.write(HELLO);
  const packets = new ClientPackets(1);
  let messages = 0;
  for (let sent = 0; sent < bytes; messages++) {
    const packet = framed(packets.next());
    sent += packet.length;
    if (!socket.write(packet)) await once(socket, "drain");
  }
  await new Promise<void>((resolve) => socket.end(() => resolve()));
  return messages;
}
