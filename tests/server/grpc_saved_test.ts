import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { memoryFiles } from "../../lib/adapters/files/memory_files.ts";
import { loadTcpAdapter } from "../../lib/adapters/load.ts";
import { readRrd } from "../../lib/recordings/mod.ts";
import { rrdFileSink } from "../../lib/sinks/file/rrd_file.ts";
import { memoryTcp, Server, silentLog } from "../../mod.ts";
import { callBody, VERSIONS } from "../comms/grpc/frames.ts";
import { grpcMessages } from "../grpc_frames.ts";
import { dialMemory, dialSystem, PROXY } from "./grpc_peer.ts";

/** What `.rrd` has of each message, behind its kind and length. */
const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16)).join(" ");

describe("recordings that came by gRPC", () => {
  for (const transport of ["in memory", "over the system's TCP"] as const) {
    for (const version of VERSIONS) {
      it(`of SDK ${version} are saved ${transport} as protobuf, each message as it came`, async () => {
        const net = memoryTcp();
        const adapter = transport === "in memory" ? net : await loadTcpAdapter();
        const options = { port: 0, log: silentLog, reuseBuffers: true };
        await using server = await Server.listen(adapter, options);
        const files = memoryFiles();
        const sink = await rrdFileSink({ path: "a.rrd", files, log: silentLog });
        const receiving = (async () => {
          for await (const batch of server.batches()) await sink.write(batch);
        })();
        const dial = transport === "in memory" ? dialMemory(net) : dialSystem;
        const peer = await dial(server.addr);
        const call = peer.call(`${PROXY}/WriteMessages`);
        const body = callBody(version);
        for (let at = 0; at < body.length; at += 1000) {
          await call.send(body.subarray(at, at + 1000));
        }
        call.stream.end();
        assertEquals(await call.status, [0, ""]);
        await server.close();
        await receiving;
        await sink.close();
        assertEquals(files.paths.filter((path) => path.endsWith(".rrd")), ["a.rrd"]);
        const saved = new Uint8Array(files.read("a.rrd")!);
        const { messages } = readRrd(new Blob([saved]).stream());
        const found: string[] = [];
        for await (const { msg } of messages) found.push(hex(msg.encoded.bytes));
        const sent = grpcMessages(`${version}-mixed`).map(({ encoded }) => hex(encoded.bytes));
        assertEquals(found, sent);
        peer.cut();
      });
    }
  }
});
