/** A server that speaks gRPC, with its log, its receiver, and a clock that is turned by hand. */
import { loadTcpAdapter } from "../../lib/adapters/load.ts";
import type { TcpAdapter } from "../../lib/adapters/tcp/types.ts";
import { type MemoryNet, memoryTcp } from "../../lib/adapters/tcp/memory_tcp.ts";
import { type ServeOptions, Server, type SmartMessage } from "../../mod.ts";
import { dialMemory, dialSystem, type GrpcPeer } from "./grpc_peer.ts";

export const TRANSPORTS = ["in memory", "over the system's TCP"] as const;

/** A server with its log and its receiver. */
export class Started implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly received: SmartMessage[] = [];
  readonly #change = { promise: Promise.resolve(), resolve: () => {} };
  server!: Server;
  /** Of the server in memory. */
  net!: MemoryNet;
  connect!: () => Promise<GrpcPeer>;
  #isOver = false;

  static async on(
    transport: typeof TRANSPORTS[number] = "in memory",
    options: ServeOptions = {},
    receives = true,
  ): Promise<Started> {
    const started = new Started();
    const net = started.net = memoryTcp();
    const adapter: TcpAdapter = transport === "in memory" ? net : await loadTcpAdapter();
    const write = (level: string, text: string) => {
      started.lines.push(`${level} ${text.replaceAll(/127\.0\.0\.1:\d+/g, "ADDR")}`);
      started.#wake();
    };
    const log = { enabled: () => true, write };
    const server = started.server = await Server.listen(adapter, { port: 0, log, ...options });
    const dial = transport === "in memory" ? dialMemory(net) : dialSystem;
    started.connect = () => dial(server.addr);
    if (receives) void started.receive();
    return started;
  }

  async receive(): Promise<void> {
    for await (const batch of this.server.batches()) {
      this.received.push(...batch);
      this.#wake();
    }
    this.#isOver = true;
    this.#wake();
  }

  /** Resolves when this is so. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.#isOver) throw new Error(`it is over: ${this.lines.join("\n")}`);
      const next = Promise.withResolvers<void>();
      Object.assign(this.#change, next);
      await next.promise;
    }
  }

  get quits(): SmartMessage[] {
    return this.received.filter(({ payload }) => payload.type === "quit");
  }

  /** Lines of these levels, the first one about hosting left out. */
  said(...levels: string[]): string[] {
    return this.lines.slice(1).filter((line) => levels.includes(line.split(" ")[0]!));
  }

  #wake(): void {
    this.#change.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.closeDoors();
  }
}

/** A clock that tests move by hand. */
export function handClock() {
  let time = 0;
  const tasks = new Set<() => void>();
  return {
    pass(ms: number, stepMs = 500): void {
      for (let passed = 0; passed < ms; passed += stepMs) {
        time += stepMs;
        for (let i = 0; i < 12; i++) for (const task of tasks) task();
      }
    },
    options: {
      now: () => time,
      every: (_ms: number, task: () => void) => {
        tasks.add(task);
        return () => void tasks.delete(task);
      },
    },
  };
}

/** Lets what is under way in memory come to rest. */
export const rest = () => new Promise((resolve) => setTimeout(resolve, 20));
