/** Viewers that take everything, in a process of their own: `viewers_child.ts PORT COUNT`. */
import process from "node:process";
import { CountingViewer } from "./viewer_clients.ts";

const [port, count] = process.argv.slice(2).map(Number);
const viewers = Array.from({ length: count! }, () => new CountingViewer(port!));
await Promise.all(
  viewers.map((viewer) =>
    new Promise<void>((resolve) => viewer.socket.once("data", () => resolve()))
  ),
);
for (const viewer of viewers) viewer.socket.once("data", () => viewer.begin());
console.log("ready");
process.on("SIGTERM", async () => {
  const total = () => viewers.reduce((sum, { bytes }) => sum + bytes, 0);
  const gaps = viewers.map(({ maxGapMs }) => maxGapMs);
  const gapsAt = viewers.map(({ maxGapAtMs }) => maxGapAtMs);
  // What is still on its way comes without a pause.
  for (let last = -1; last !== total();) {
    last = total();
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  console.log(`figures ${
    JSON.stringify({
      counts: viewers.map(({ messages }) => messages),
      gaps,
      gapsAt,
      others: viewers.reduce((sum, { others }) => sum + others, 0),
      closed: viewers.filter(({ closedAt }) => closedAt !== undefined).length,
    })
  }`);
  process.exit(0);
});
