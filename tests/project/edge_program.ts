/** What edge_test.ts bundles: a program of the core alone, which leaves its functions as globals. */
import { memoryTcp, PacketStream, Server, silentLog } from "@rerelay/server/core";

/** Serves one connection over memory; gives what was received as JSON, for another realm. */
async function receive(bytes: Uint8Array): Promise<string> {
  const net = memoryTcp();
  await using server = await Server.listen(net, {
    log: silentLog,
    allow: ["127.0.0.0/8"],
    onBadArrow: "drop",
  });
  const writer = net.connect().writable.getWriter();
  const sent = writer.write(bytes).then(() => writer.close());
  const messages: unknown[] = [];
  for await (const { payload } of server) {
    if (payload.type === "quit") {
      await sent;
      return JSON.stringify({ messages, error: payload.error?.message });
    }
    const { msg } = payload;
    if (msg.kind !== "ArrowMsg") messages.push({ type: msg.kind });
    else {
      const { numRows } = await msg.table();
      messages.push({ type: msg.kind, bytes: msg.ipc().length, rows: numRows });
    }
  }
  throw new Error("The server ended before its client");
}

/** Lengths of a connection's packets, by the stream of them. */
async function packetLengths(bytes: Uint8Array): Promise<string> {
  const lengths: number[] = [];
  for await (const packets of ReadableStream.from([bytes]).pipeThrough(new PacketStream())) {
    for (const packet of packets) lengths.push(packet.length);
  }
  return JSON.stringify(lengths);
}

/** The functions, as edge_test.ts finds them. */
export interface EdgeProgram {
  receive(bytes: Uint8Array): Promise<string>;
  packetLengths(bytes: Uint8Array): Promise<string>;
}

Object.assign(globalThis, { receive, packetLengths } satisfies EdgeProgram);
