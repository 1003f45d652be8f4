/** One measured run of an overloaded server: its process, and one for each of its clients. */
import { within } from "../conformance/child.ts";
import { type Child, startChild } from "../contract/child.ts";
import type { Logged, Logging } from "./overload_send.ts";
import type { Received, Receiving } from "./overload_server.ts";

/** What runs the processes. */
export type Runtime = "deno" | "bun";

/** What is run. */
export interface Overload {
  readonly receiving: Omit<Receiving, "clients">;
  /** The first floods. */
  readonly clients: readonly Logging[];
}

/** What came of it. */
export interface Result extends Received {
  readonly logged: readonly Logged[];
}

const SERVER = new URL("overload_server.ts", import.meta.url);
const SENDER = new URL("overload_send.ts", import.meta.url);
const START_MS = 30_000;
/** A machine that is busy with other things takes longer than the clients log. */
const SPARE_MS = 90_000;

/**
 * Runs it.
 *
 * @throws if a process fails or does not end in time
 */
export async function runOverload(
  { receiving, clients }: Overload,
  runtime: Runtime,
): Promise<Result> {
  const args = [
    JSON.stringify({ ...receiving, clients: clients.length }),
    JSON.stringify(clients.map(({ messagesPerFrame }) => messagesPerFrame)),
  ];
  const children: Child[] = [];
  const start = (program: URL, args: string[]) => {
    const child = startChild(program, args, undefined, runtime);
    children.push(child);
    return child;
  };
  try {
    const server = start(SERVER, args);
    const { port } = await within(START_MS, "the server", server.next<{ port: number }>());
    for (const logging of clients) {
      // One by one: the server numbers them in this order.
      const client = start(SENDER, [String(port), JSON.stringify(logging)]);
      await within(START_MS, "a client", client.next());
    }
    for (const child of children) child.tell("go");
    const ms = Math.max(...clients.map(({ seconds }) => seconds)) * 1000 + SPARE_MS;
    const ends = children.map((child) => child.next());
    const [received, ...logged] = await within(ms, "the run to end", Promise.all(ends));
    return { ...received as Received, logged: logged as Logged[] };
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
}

/** A client that logs 50 MB/s in frames of five messages, with static data ten times a second. */
export function flood(seconds: number): Logging {
  return {
    id: "flood",
    seconds,
    framesPerSec: 1000,
    messagesPerFrame: 5,
    dataBytes: 10_000,
    timelessEvery: 100,
  };
}

/** A client that logs ten small messages a second. */
export function quiet(seconds: number): Logging {
  return {
    id: "quiet",
    seconds,
    framesPerSec: 10,
    messagesPerFrame: 1,
    dataBytes: 1000,
    timelessEvery: 10,
  };
}

/** A client that logs messages of 1 KB, each read alone. */
export function drip(seconds: number): Logging {
  return {
    id: "drip",
    seconds,
    framesPerSec: 20_000,
    messagesPerFrame: 1,
    dataBytes: 1000,
    timelessEvery: 0,
    oneByOne: true,
  };
}

/** What is wrong with what came, whatever the machine's speed; empty if nothing is. */
export function faults({ seen, logged, dropped, grownKiB }: Result, limitMiB: number): string[] {
  const found: string[] = [];
  const expect = (isTrue: boolean, text: string) => isTrue || found.push(text);
  seen.forEach((client, i) => {
    const { id, torn, staticData, storeInfos, disordered, quitError } = client;
    const sent = logged[i]!;
    expect(torn === 0, `${id}: ${torn} frames are torn`);
    expect(disordered === 0, `${id}: ${disordered} messages came out of order`);
    expect(quitError === undefined, `${id}: left with ${quitError}`);
    const lost = [sent.staticData - staticData, sent.storeInfos - storeInfos];
    expect(lost[0] === 0, `${id}: ${lost[0]} of ${sent.staticData} static data are lost`);
    expect(lost[1] === 0, `${id}: ${lost[1]} of ${sent.storeInfos} store infos are lost`);
  });
  const sum = (of: readonly { readonly messages: number }[]) =>
    of.reduce((all, { messages }) => all + messages, 0);
  const uncounted = sum(logged) - sum(seen) - dropped.throttled - dropped.overflow;
  expect(uncounted === 0, `${uncounted} messages are missing from the counts`);
  expect(
    grownKiB <= (limitMiB + 64) * 1024,
    `memory grew by ${Math.ceil(grownKiB / 1024)} MiB, the limit is ${limitMiB} + 64`,
  );
  return found;
}
