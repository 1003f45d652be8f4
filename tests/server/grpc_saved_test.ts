import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { memoryFiles } from "../../lib/adapters/files/memory_files.ts";
import { loadTcpAdapter } from "../../lib/adapters/load.ts";
import { readRrd } from "../../lib/recordings/mod.ts";
import { rrdFileSink } from "../../lib/sinks/file/rrd_file.ts";
import { memoryTcp, Server, silentLog } from "../../mod.ts";
import { callBody, frame, framesOf, VERSIONS } from "../comms/grpc/frames.ts";
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

  it("go to a file for each recording and part, which together hold every message", async () => {
    const net = memoryTcp();
    await using server = await Server.listen(net, { port: 0, log: silentLog, reuseBuffers: true });
    const files = memoryFiles();
    const path = "{application_id}-{recording_id}-{part}.rrd";
    const rotation = { maxBytes: 40_000 };
    const sink = await rrdFileSink({ path, files, log: silentLog, rotation });
    const receiving = (async () => {
      for await (const batch of server.batches()) await sink.write(batch);
    })();
    const peer = await dialMemory(net)(server.addr);
    const call = peer.call(`${PROXY}/WriteMessages`);
    for (const message of framesOf(callBody("0.41.0"))) await call.send(frame(message));
    call.stream.end();
    assertEquals(await call.status, [0, ""]);
    await server.close();
    await receiving;
    await sink.close();
    const paths = files.paths.filter((path) => path.endsWith(".rrd")).sort();
    assert(paths.length >= 2, paths.join(" "));
    assert(paths.every((path) => /^[^-]+-.+-\d+\.rrd$/.test(path)), paths.join(" "));
    const found: string[] = [];
    for (const path of paths) {
      const { messages } = readRrd(new Blob([new Uint8Array(files.read(path)!)]).stream());
      for await (const { msg } of messages) {
        if (msg.kind === "ArrowMsg") found.push(hex(msg.encoded.bytes));
      }
    }
    const sent = grpcMessages("0.41.0-mixed").filter(({ kind }) => kind === "ArrowMsg")
      .map(({ encoded }) => hex(encoded.bytes));
    // Static data stands in later parts as well, so that each opens alone.
    assertEquals([...new Set(found)].sort(), [...new Set(sent)].sort());
    peer.cut();
  });
});
