/**
 * `kill -9` of any NATS server, of the box and of the middle, at random moments under load: what is on
 * the box's disk must be in the middle's recordings, each once, in order.
 * `deno run -A tests/fleet/kill.ts --rounds 100 --seed 7`, or with `bun`; `--nodes 1` without copies. With
 * `--recordings 500 --shared 1` so many recordings go on at a time, all in the same files.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { NatsServer, noNats } from "../nats/nats_server.ts";
import { seeded } from "../random.ts";
import { scriptArgs } from "../script_args.ts";
import { Program } from "./program.ts";
import { difference, recorded } from "./recorded.ts";
import { connectSdk, Robot, send } from "./robot.ts";

/** What a run found out. */
export interface KillReport {
  readonly rounds: number;
  readonly messages: number;
  readonly recordings: number;
  readonly killed: Readonly<Record<string, number>>;
  /** Absent where all is as it must be. */
  readonly wrong?: string;
}

/** How many there are of what, and how it is saved. */
export interface KillOptions {
  /** NATS servers: 1 or 3. */
  readonly nodes?: number;
  /** Recordings that go on at a time. */
  readonly recordings?: number;
  /** Whether all of them stand in the same files, of the box and of the middle. */
  readonly isShared?: boolean;
}

const FRAMES_PER_SEC = 200;
/** So many recordings at most get a value in one frame; the next ones do in the next. */
const VALUES_PER_FRAME = 4;
/** Above the payload that servers take, so that it goes in parts. */
const PICTURE = { width: 1300, height: 1000, every: 100 };
const CATCH_UP_MS = 90_000;

/** Logs until it is stopped, over a new connection whenever the box was killed. */
async function drive(port: number, recordings: number, signal: AbortSignal): Promise<void> {
  let run = 0;
  while (!signal.aborted) {
    try {
      const socket = await connectSdk(port);
      socket.on("error", () => {});
      // All over one connection, and as many new ones after each kill.
      const robots = Array.from({ length: recordings }, (_, i) => new Robot(`${i}-${run}`));
      run++;
      for (const robot of robots) await send(socket, robot.announcement());
      let next = 0;
      for (let frame = 0; !signal.aborted && !socket.destroyed; frame++) {
        for (let i = 0; i < Math.min(recordings, VALUES_PER_FRAME); i++) {
          await send(socket, robots[next++ % recordings]!.scalar("/value", frame, frame));
        }
        if (frame % PICTURE.every === 50) {
          const robot = robots[Math.floor(frame / PICTURE.every) % recordings]!;
          await send(socket, robot.picture("/camera", frame, PICTURE.width, PICTURE.height));
        }
        await wait(1000 / FRAMES_PER_SEC);
      }
      await new Promise<void>((resolve) => socket.destroyed ? resolve() : socket.end(resolve));
    } catch {
      await wait(50);
    }
  }
}

/** Kills, and compares. */
export async function killFleet(
  rounds: number,
  seed: number,
  { nodes = 3, recordings = 2, isShared = false }: KillOptions = {},
): Promise<KillReport> {
  const random = seeded(seed);
  const folder = mkdtempSync(join(tmpdir(), "rerelay-fleet-"));
  const servers = nodes === 1 ? [await NatsServer.start()] : await NatsServer.cluster();
  const url = `nats://${servers.map(({ port }) => `127.0.0.1:${port}`).join(",")}`;
  const port = 20_000 + Math.floor(Math.random() * 10_000);
  const nats = ["--nats-replicas", String(nodes), "--rotate-size", "3MB"];
  const [boxFolder, middleFolder] = [join(folder, "box"), join(folder, "middle")];
  const pattern = isShared ? "{part}.rrd" : "{recording_id}-{part}.rrd";
  const box = new Program("box", [
    ...["--port", String(port), "--save", join(boxFolder, pattern)],
    ...["--forward", url, "--box", "box-7", ...nats],
  ]);
  const middle = new Program("middle", [
    ...["--port", "0", "--save", join(middleFolder, pattern), "--from", url, ...nats],
  ]);
  const stop = new AbortController();
  const killed: Record<string, number> = {};
  try {
    await Promise.all([box.start(), middle.start()]);
    const driving = drive(port, recordings, stop.signal);
    for (let round = 0; round < rounds; round++) {
      await wait(300 + random() * 1700);
      const victims = [...servers.map((_, i) => `node ${i}`), "box", "middle"];
      const victim = victims[Math.floor(random() * victims.length)]!;
      killed[victim] = (killed[victim] ?? 0) + 1;
      const downMs = random() * 1500;
      if (victim === "box" || victim === "middle") {
        const program = victim === "box" ? box : middle;
        await program.end("SIGKILL");
        await wait(downMs);
        await program.start();
      } else {
        const server = servers[Number(victim.slice(5))]!;
        await server.kill();
        await wait(downMs);
        await server.start();
      }
    }
    await wait(500);
    stop.abort();
    await driving;
    const end = performance.now() + CATCH_UP_MS;
    let wrong = difference(recorded(boxFolder), recorded(middleFolder));
    while (wrong !== undefined && performance.now() < end) {
      await wait(1000);
      wrong = difference(recorded(boxFolder), recorded(middleFolder));
    }
    for (const program of [box, middle]) await program.end("SIGINT");
    const original = recorded(boxFolder);
    wrong = difference(original, recorded(middleFolder));
    const messages = [...original.values()].reduce((sum, ids) => sum + ids.length, 0);
    if (wrong !== undefined) console.error(box.log.slice(-6000), middle.log.slice(-6000));
    return {
      ...{ rounds, messages, recordings: original.size, killed },
      ...(wrong !== undefined && { wrong }),
    };
  } finally {
    stop.abort();
    for (const program of [box, middle]) await program.end("SIGKILL").catch(() => null);
    for (const server of servers) await server[Symbol.asyncDispose]();
    if (!process.env["KEEP"]) rmSync(folder, { recursive: true, force: true });
    else console.error(folder);
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) {
  if (noNats) {
    console.log(noNats);
  } else {
    const { seed, numbers } = scriptArgs({ rounds: 10, nodes: 3, recordings: 2, shared: 0 });
    const { rounds, nodes, recordings, shared } = numbers;
    const report = await killFleet(rounds, seed, { nodes, recordings, isShared: shared > 0 });
    console.log(JSON.stringify(report));
    process.exit(report.wrong === undefined ? 0 : 1);
  }
}
