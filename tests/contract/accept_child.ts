/** Accepts all, as the server does: after an error it waits 10 ms, then twice as long, up to 1 s. */
import process from "node:process";
import { loadTcpAdapter } from "../../lib/adapters/load.ts";
import type { TcpConnection } from "../../lib/adapters/tcp/types.ts";
import { heard, residentKiB, say } from "./child.ts";

const listener = await (await loadTcpAdapter()).listen({ hostname: "127.0.0.1", port: 0 });
const counts = { accepted: 0, open: 0, bytes: 0, rejected: 0, reason: "" };

async function serve({ readable }: TcpConnection): Promise<void> {
  counts.accepted++;
  counts.open++;
  try {
    for await (const chunk of readable) counts.bytes += chunk.length;
  } finally {
    counts.open--;
  }
}

async function acceptAll(): Promise<void> {
  for (let waitMs = 10;;) {
    try {
      const connection = await listener.accept();
      if (!connection) return;
      waitMs = 10;
      serve(connection).catch(() => {});
    } catch (error) {
      counts.rejected++;
      counts.reason = String(error);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      waitMs = Math.min(waitMs * 2, 1000);
    }
  }
}

say({ port: listener.addr.port });
acceptAll();
for await (const question of heard()) {
  const { user, system } = process.cpuUsage();
  const upMs = performance.now();
  // At the limit of open files there is none left to read the memory from.
  const rssKiB = question === "memory?" ? residentKiB("VmRSS") : 0;
  say({ ...counts, upMs, cpuMs: (user + system) / 1000, rssKiB });
}
