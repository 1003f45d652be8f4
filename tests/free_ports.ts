/** Ports for programs that can't pick one themselves. */
import { createServer } from "node:net";

/**
 * Below those that systems give to whoever asks for any: such a one may be somebody else's connection by
 * the time that the program listens.
 */
const [FIRST, END] = [10_000, 32_000];

/**
 * Ports at which nobody listens now, no two alike in this process before the range is through.
 *
 * @param count how many
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = next = next + 1 < END ? next + 1 : FIRST;
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

/** One of {@linkcode freePorts}. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port!;
}

/** Where this process began is chance, for others do the same at the same time. */
let next = FIRST + Math.floor(Math.random() * (END - FIRST));

/** On all addresses of this machine, as some programs listen. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
