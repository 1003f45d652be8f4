/** A box that forwards, and the robot that logs to it: how they do, phase by phase. */
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Child } from "../conformance/child.ts";
import type { Runtime } from "../conformance/cli_process.ts";
import { connectSdk, Robot } from "./robot.ts";

const CLI = fileURLToPath(new URL("../../cli.ts", import.meta.url));
const READY = /Hosting a SDK server over TCP at 127\.0\.0\.1:(\d+)\. Connect with/;
const READY_MS = 60_000;
const SAMPLE_MS = 250;

/** A Rerelay of its own. */
export interface Rerelay extends AsyncDisposable {
  readonly port: number;
  readonly child: Child;
}

/** Starts one at a free port. */
export async function startRerelay(
  runtime: Runtime,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Rerelay> {
  const run = runtime === "deno" ? ["deno", "run", "-A", "--no-check", "--quiet"] : ["bun"];
  const child = new Child([...run, CLI, "--port", "0", ...args], {
    env: { ...process.env, ...env } as Record<string, string>,
  });
  const [, port] = await child.waitFor(READY, READY_MS);
  return {
    child,
    port: Number(port),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** What is seen of a box at one time. */
export interface Sample {
  readonly atMs: number;
  readonly residentBytes: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly droppedMessages: number;
  readonly lagBytes: number;
}

/** Looks at a box, whose page must be served, until it is stopped. */
export class Watch {
  readonly samples: Sample[] = [];
  readonly #box: Rerelay;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(box: Rerelay) {
    this.#box = box;
    this.#timer = setInterval(() => void this.look().catch(() => {}), SAMPLE_MS);
  }

  /** How it does now. */
  async look(): Promise<Sample> {
    const { bytes, forwarding } = await this.#status();
    const [{ lagBytes, sent, dropped }] = forwarding as [typeof forwarding[number]];
    const sample = {
      atMs: performance.now(),
      residentBytes: residentBytes(this.#box.child.pid!),
      receivedBytes: bytes,
      sentBytes: sent.bytes,
      droppedMessages: dropped.messages,
      lagBytes,
    };
    this.samples.push(sample);
    return sample;
  }

  async #status() {
    for (let tries = 0;; tries++) {
      try {
        const answer = await fetch(`http://127.0.0.1:${this.#box.port}/status`);
        return await answer.json() as {
          bytes: number;
          forwarding: {
            lagBytes: number;
            sent: { bytes: number };
            dropped: { messages: number };
          }[];
        };
      } catch (error) {
        // A connection that is closed as we ask over it.
        if (tries === 3) {
          throw new Error(`no status: ${this.#box.child.stderr.slice(-4000)}`, { cause: error });
        }
      }
    }
  }

  /** Waits for a sample as it is wanted. */
  async until(what: string, isWanted: (sample: Sample) => boolean, ms: number): Promise<Sample> {
    const end = performance.now() + ms;
    for (;;) {
      const sample = await this.look();
      if (isWanted(sample)) return sample;
      if (performance.now() > end) {
        throw new Error(`waited ${ms / 1000} s in vain for ${what}: ${JSON.stringify(sample)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

/** How long a packet took until the system had taken it from the robot. */
export interface Taken {
  readonly atMs: number;
  readonly ms: number;
}

/** What a robot logs in each second. */
export interface Load {
  /** Curves' values. */
  readonly small: number;
  /** Bytes of pictures, of a million each. */
  readonly pictureBytes: number;
}

const PICTURE = { width: 1000, height: 1000 };

/**
 * Logs at a steady rate, over as many connections as a robot has processes, until the signal.
 *
 * @returns how long each packet took
 */
export async function drive(
  port: number,
  { small, pictureBytes }: Load,
  signal: AbortSignal,
): Promise<Taken[]> {
  const taken: Taken[] = [];
  const socket = await connectSdk(port);
  // Where a run is given up, its box is gone.
  socket.on("error", () => {});
  const [curves, camera] = [new Robot("curves"), new Robot("camera")];
  const put = async (bytes: Uint8Array) => {
    const atMs = performance.now();
    await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
    taken.push({ atMs, ms: performance.now() - atMs });
  };
  await put(curves.announcement());
  await put(camera.announcement());
  let [begun, frame, values, pictures] = [performance.now(), 0, 0, 0];
  while (!signal.aborted && !socket.destroyed) {
    const seconds = (performance.now() - begun) / 1000;
    if (values < seconds * small) {
      await put(curves.scalar("/value", ++frame, frame % 100));
      values++;
    } else if (pictures < seconds * pictureBytes / (PICTURE.width * PICTURE.height)) {
      await put(camera.picture("/camera", ++frame, PICTURE.width, PICTURE.height));
      pictures++;
    } else await new Promise((resolve) => setTimeout(resolve, 5));
    // What could not be logged in time is left out, as a robot does.
    const late = (performance.now() - begun) / 1000 - values / small;
    if (late > 1) [begun, values, pictures] = [performance.now(), 0, 0];
  }
  await new Promise<void>((resolve) => socket.end(resolve));
  return taken;
}
