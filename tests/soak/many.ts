/**
 * Many clients of the real protocol that connect, log and are cut off at random; on the runtime that
 * runs this:
 *
 *     deno run -A tests/soak/many.ts [--clients 200] [--seconds 60] [--seed S]
 *     bun tests/soak/many.ts
 */
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { startChild } from "../contract/child.ts";
import { scriptArgs } from "../script_args.ts";
import { type Must, must } from "./host.ts";
import type { Sent } from "./many_peer.ts";

interface Received {
  connection: number;
  messages: number;
  inOrder: boolean;
}

/**
 * Runs them.
 *
 * @param load how many, for how long, and the seed of their randomness
 * @param must is told what holds
 */
export async function many(
  { clients, seconds, seed }: { clients: number; seconds: number; seed: number },
  must: Must,
): Promise<void> {
  const server = startChild(new URL("many_server.ts", import.meta.url), []);
  const { port } = await server.next<{ port: number }>();
  const args = [port, seed, clients, seconds].map(String);
  const peer = startChild(new URL("many_peer.ts", import.meta.url), args);
  try {
    const { sent, bytes } = await peer.next<{ sent: Sent[]; bytes: number }>();
    server.tell("end");
    const { left, still } = await server.next<{ left: Received[]; still: number }>();
    const byConnection = new Map<number, Received>();
    const twice = left.filter((received) => {
      if (received.messages === 0) return false;
      const known = byConnection.has(received.connection);
      byConnection.set(received.connection, received);
      return known;
    });
    const count = (end: Sent["end"]) => sent.filter((one) => one.end === end).length;
    const messages = left.reduce((sum, one) => sum + one.messages, 0);
    const wrong = sent.filter(({ connection, packets, end }) => {
      const { messages = 0, inOrder = true } = byConnection.get(connection) ?? {};
      return !inOrder || messages > packets || end === "fin" && messages !== packets;
    });
    must(
      wrong.length === 0 && twice.length === 0 && sent.length > 0,
      `${sent.length} connections (${count("fin")} closed, ${count("reset")} reset), ` +
        `${messages} messages, ${(bytes / 1e6).toFixed(0)} MB: ${wrong.length + twice.length} ` +
        `with a message lost, doubled or out of order ${JSON.stringify(wrong.slice(0, 3))}`,
    );
    // What is reset before it was accepted was never there.
    const missed = sent.length - left.length;
    must(
      still === 0 && missed >= 0 && missed <= count("reset"),
      `none is still there; ${missed} were reset before they were accepted`,
    );
  } finally {
    await peer.stop();
    await server.stop();
  }
}

if (import.meta.main) {
  const { seed, numbers } = scriptArgs({ clients: 200, seconds: 60 });
  const { clients, seconds } = numbers;
  console.log(`${detectRuntime()}: ${clients} clients for ${seconds} s, seed ${seed}`);
  await many({ clients, seconds, seed }, must);
}
