/** Many connections to one port, in a process of their own: told by lines what to do. */
import { connect, type Socket } from "node:net";
import process from "node:process";
import { heard, say } from "../contract/child.ts";

const port = Number(process.argv[2]);
const HELLO = Uint8Array.of(1, 0, ...new TextEncoder().encode("rerun"));
let sockets: Socket[] = [];
let closed = 0;

/** Opens so many, a hundred at a time; those that the server closes are counted. */
async function open(count: number, hello: boolean): Promise<void> {
  for (let left = count; left > 0; left -= 100) {
    const some = Array.from({ length: Math.min(left, 100) }, () => connect(port, "127.0.0.1"));
    sockets.push(...some);
    await Promise.all(some.map((socket) =>
      new Promise<void>((resolve) => {
        socket.on("error", () => {});
        socket.on("close", () => {
          closed++;
          resolve();
        });
        socket.on("connect", () => {
          socket.resume();
          if (!hello) return resolve();
          socket.write(HELLO, () => resolve());
        });
      })
    ));
  }
}

say({ ready: true });
for await (const line of heard()) {
  const [command, count] = line.split(" ");
  if (command === "idle") await open(Number(count), false);
  else if (command === "hello") await open(Number(count), true);
  else if (command === "leave") {
    for (const socket of sockets) socket.destroy();
    sockets = [];
  }
  say({ open: sockets.length, closed });
}
