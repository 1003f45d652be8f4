/**
 * Box → NATS → middle beside a bare publisher and a bare consumer of the same client, both sides at
 * once on one server: `deno run -A tests/bench/nats.ts [SECONDS]`, or with `bun`.
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { NatsServer, noNats } from "../nats/nats_server.ts";

const CHILD = fileURLToPath(new URL("nats_child.ts", import.meta.url));
const seconds = process.argv[2] ?? "5";

interface Figures {
  readonly mbPerSec: number;
  readonly perSec: number;
}

function run(role: string, url: string, kind: string): Promise<Figures> {
  const before = "Bun" in globalThis ? [CHILD] : ["run", "-A", "--no-check", CHILD];
  const child = spawn(process.execPath, [...before, role, url, kind, seconds], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => out += text);
  return new Promise((resolve, reject) => {
    child.on("close", (code) => {
      const line = out.split("\n").find((text) => text.startsWith("{"));
      if (line === undefined) reject(new Error(`${role} ended with ${code}`));
      else resolve(JSON.parse(line));
    });
  });
}

async function pair(sender: string, receiver: string, kind: string): Promise<[Figures, Figures]> {
  await using server = await NatsServer.start();
  const receiving = run(receiver, server.url, kind);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const sent = await run(sender, server.url, kind);
  return [sent, await receiving];
}

const text = ({ mbPerSec, perSec }: Figures) =>
  `${mbPerSec.toFixed(1).padStart(7)} MB/s ${perSec.toFixed(0).padStart(8)} msg/s`;

if (noNats) {
  console.log(noNats);
} else {
  for (
    const [bare, ours] of [["small", "small"], ["batched", "small"], ["images", "images"]] as const
  ) {
    const [published, consumed] = await pair("bare-publisher", "bare-consumer", bare);
    const [sent, received] = await pair("box", "middle", ours);
    console.log(`${bare.padEnd(8)} bare: published ${text(published)}, consumed ${text(consumed)}`);
    console.log(`${"".padEnd(8)} ours: sent      ${text(sent)}, received ${text(received)}`);
    const ratio = received.mbPerSec / Math.min(published.mbPerSec, consumed.mbPerSec);
    console.log(`${"".padEnd(8)} ${ratio.toFixed(2)} × bare`);
  }
}
