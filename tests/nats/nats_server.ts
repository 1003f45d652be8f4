/** Real nats-servers for tests: one, or a cluster, on loopback. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { freePorts } from "../free_ports.ts";
import { findNats } from "./nats_program.ts";

/** Why tests are skipped that need the server; `false` where it is there. */
export const noNats: string | false = findNats().missing;

/** A server process with a store of its own, which outlives `kill`. */
export class NatsServer {
  #child: ChildProcess | undefined;
  #log = "";

  private constructor(
    readonly folder: string,
    readonly port: number,
    readonly args: readonly string[],
  ) {}

  /** Starts one alone, at a free port. */
  static async start(config = ""): Promise<NatsServer> {
    const [port] = await freePorts(1);
    const server = NatsServer.#made("alone", port!, config);
    await server.start();
    return server;
  }

  /** Starts three that hold copies for each other. */
  static async cluster(config = ""): Promise<NatsServer[]> {
    const ports = await freePorts(6);
    const routes = ports.slice(3).map((port) => `nats://127.0.0.1:${port}`).join(",");
    const servers = [0, 1, 2].map((i) =>
      NatsServer.#made(`node${i}`, ports[i]!, config, [
        ...["--cluster_name", "test", "--cluster", `nats://127.0.0.1:${ports[3 + i]}`],
        ...["--routes", routes],
      ])
    );
    await Promise.all(servers.map((server) => server.start()));
    return servers;
  }

  static #made(name: string, port: number, config: string, args: string[] = []): NatsServer {
    const folder = mkdtempSync(join(tmpdir(), "rerelay-nats-"));
    const server = new NatsServer(folder, port, [
      ...["--config", join(folder, "nats.conf"), "--name", name],
      ...["--addr", "127.0.0.1", "--port", `${port}`],
      ...["--jetstream", "--store_dir", join(folder, "store")],
      ...args,
    ]);
    server.configure(config);
    return server;
  }

  /** Its address. */
  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Its process. */
  get pid(): number {
    return this.#child!.pid!;
  }

  /** What it wrote last. */
  get log(): string {
    return this.#log;
  }

  /** Starts it, again, with what its store holds; resolves when it lets clients in. */
  async start(): Promise<void> {
    const child = spawn(findNats().path, this.args, { stdio: ["ignore", "pipe", "pipe"] });
    const kill = () => void child.kill("SIGKILL");
    process.once("exit", kill);
    child.on("close", () => process.off("exit", kill));
    const take = (text: string) => this.#log = (this.#log + text).slice(-20_000);
    child.stdout!.setEncoding("utf8").on("data", take);
    child.stderr!.setEncoding("utf8").on("data", take);
    this.#child = child;
    const end = performance.now() + 20_000;
    while (!(await answers(this.port))) {
      if (performance.now() > end) throw new Error(`nats-server does not start: ${this.#log}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Gives it another configuration, from its next start on. */
  configure(config: string): void {
    writeFileSync(join(this.folder, "nats.conf"), config);
  }

  /** Sends it a signal, such as `SIGKILL`, `SIGSTOP` or `SIGCONT`. */
  signal(signal: NodeJS.Signals): void {
    // Deno's `kill` of a child sends the first signal alone.
    process.kill(this.pid, signal);
  }

  /** Ends it at once, and waits until it is gone. */
  async kill(): Promise<void> {
    const child = this.#child!;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  /** Ends it, and removes what it stored. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const done = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    // It says hello first.
    socket.once("data", () => done(true));
    socket.once("error", () => done(false));
    socket.once("close", () => done(false));
  });
}
