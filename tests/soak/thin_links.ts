/**
 * Viewers whose links are quick, so that the system takes megabytes for them at once, and then hardly carry
 * anything: all take something all the time, and none is cut off for taking nothing; one that stops is.
 *
 * `deno run -A tests/soak/thin_links.ts [--runtimes deno,bun] [--doors websocket,http,grpc,grpc-web]
 * [--rates 5,20,40,80] [--seconds 60]`
 *
 * `--rates` are in KB/s. Ends with a line `N passed, N failed`.
 */
import { connect } from "node:net";
import process from "node:process";
import { parseArgs } from "@std/cli";
import { Cli, type Runtime } from "../conformance/cli_process.ts";
import { HELLO } from "../encoding/rrd_builder.ts";
import { type Door, DOORS, portsOf, readDoor } from "./door_readers.ts";
import { sleep } from "./host.ts";
import { LinksProcess } from "./links_process.ts";
import { RobotPackets } from "./robot_packets.ts";

/** More than the links carry while they are quick. */
const PICTURES = 450;
const BYTES = { picture: 333_000, points: 100_000 };
const FIRST_FRAME = 100_000;
const QUICK = { bytesPerSec: 50e6, forMs: 1500 };
/** As on Ethernet, and little at once: the system on the other side acknowledges all the time. */
const LINK = { segmentBytes: 1448, receiveBytes: 16 * 1024, pieceBytes: 2048, delayMs: 5 };

/** Logs pictures as fast as they are taken, and stays. */
async function log(port: number): Promise<void> {
  const packets = new RobotPackets("rec", BYTES);
  const socket = connect(port, "127.0.0.1");
  socket.resume().write(HELLO);
  socket.write(packets.info());
  for (let i = 0; i < PICTURES; i++) {
    if (socket.write(packets.packet("L", FIRST_FRAME + i, Date.now()))) continue;
    await new Promise((resolve) => socket.once("drain", resolve));
  }
}

const args = parseArgs(process.argv.slice(2), {
  string: ["runtimes", "doors", "rates", "seconds"],
});
const list = (name: string, all: string) => String(args[name] ?? all).split(",");
const seconds = Number(args["seconds"] ?? 60);
const rates = list("rates", "5,20,40,80").map(Number);
const counts = { passed: 0, failed: 0 };
function must(ok: boolean, what: string): void {
  if (ok) counts.passed++;
  else counts.failed++;
  console.log(`${ok ? "ok    " : "FAILED"} ${what}`);
}

for (const runtime of list("runtimes", "deno,bun") as Runtime[]) {
  // It asks the system, which is told to who may do everything.
  await using cli = await Cli.start(runtime, [
    ...["--serve-web", "--ws-server-port", "0", "--web-viewer-port", "0"],
    ...["--server-memory-limit", "256MiB"],
  ], { mayAll: true });
  const ports = await portsOf(cli);
  const hub = async () => (await (await fetch(`http://127.0.0.1:${ports.http}/status`)).json()).hub;
  await log(cli.port);
  for (const door of list("doors", DOORS.join()) as Door[]) {
    const before = (await hub()).gone.stalled;
    const links = [...rates.map((rate) => rate * 1000), 0].map((rate) => ({
      ...LINK,
      bytesPerSec: QUICK.bytesPerSec,
      ...(rate === 0
        ? { stopsAfterMs: QUICK.forMs }
        : { then: { afterMs: QUICK.forMs, bytesPerSec: rate } }),
    }));
    await using process = await LinksProcess.open(ports[door], links);
    const bytes = links.map(() => 0);
    const readers = process.links.map(({ port }, i) =>
      readDoor(door, port, (piece) => void (bytes[i]! += piece.length))
    );
    await sleep(2 * QUICK.forMs);
    const quick = [...bytes];
    await sleep(seconds * 1000);
    const { gone, viewers } = await hub();
    const stalled = gone.stalled - before;
    const mine = (index: number) =>
      viewers.filter(({ addr }: { addr: string }) =>
        process.links[index]!.serverPorts.includes(Number(addr.split(":").at(-1)))
      ).length === 1;
    for (const [i, rate] of rates.entries()) {
      const got = ((bytes[i]! - quick[i]!) / seconds / 1000).toFixed(1);
      must(mine(i), `${runtime}, ${door}, ${rate} KB/s: stays, and gets ${got} KB/s`);
    }
    // A page has a minute.
    const most = door === "grpc-web" && seconds < 70 ? 0 : 1;
    must(stalled === most, `${runtime}, ${door}: ${stalled} cut off, who stopped`);
    for (const reader of readers) reader.close();
  }
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exit(counts.failed === 0 ? 0 : 1);
