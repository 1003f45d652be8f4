/**
 * History that comes backwards: Rerun's CLIs read it while an SDK logs, and their chunk stores have the
 * same rows and latest values of it as of what was saved in order.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { timepointOf } from "../../lib/encoding/arrow/arrow_timepoint.ts";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { Child, describeEnd, run, within } from "./child.ts";
import { Cli, type Runtime } from "./cli_process.ts";
import type { Passed } from "./scenarios.ts";
import type { Sdk } from "./sdk_cache.ts";
import { freePorts } from "../free_ports.ts";
import { given, holds, status } from "./viewers.ts";

/** The last whose CLI reads a WebSocket, and the one of today; each reads what its own SDK logs. */
export const NEWEST_FIRST: readonly string[] = ["0.22.1", "0.41.0"];
const ARGS = ["--serve-web", "--ws-server-port", "0", "--web-viewer-port", "0", "--newest-first"];
const ROBOT = fileURLToPath(new URL("../browser/robot.py", import.meta.url));
const ROWS = fileURLToPath(new URL("same_rows.py", import.meta.url));
/** The SDK logs for so long at least, and goes on until the reader reads. */
const SECONDS = 6;
/** The reader comes when there are so many already: a hundred frames, of tens of megabytes. */
const JOINS_BYTES = 20_000_000;
const CLI_MS = 60_000;

/**
 * Lets an SDK log, and a CLI of its version join in the middle.
 *
 * @throws if anything is not as it must be
 */
export async function playNewestFirst(
  sdk: Sdk,
  runtime: Runtime,
  folder: string,
): Promise<Passed> {
  await mkdir(folder, { recursive: true });
  const [saved, read] = ["saved.rrd", "read.rrd"].map((name) => join(folder, name)) as [
    string,
    string,
  ];
  const isWebSocket = sdk.version === "0.22.1";
  await using cli = await Cli.start(runtime, [...ARGS, "--save", saved]);
  const [, socket] = await cli.child.waitFor(/WebSocket server at ws:\/\/\S+:(\d+)\./, CLI_MS);
  const until = join(folder, "read");
  const asks = [String(cli.port), String(SECONDS), "rec", "app", "0.02", until];
  await using robot = new Child([sdk.python, ROBOT, ...asks], { env: sdk.env });
  await status(cli, "history", ({ bytes }) => bytes > JOINS_BYTES);
  const [own] = await freePorts(1);
  const url = isWebSocket ? `ws://127.0.0.1:${socket}` : `rerun+http://127.0.0.1:${cli.port}/proxy`;
  const listens = [...(isWebSocket ? ["--bind", "127.0.0.1"] : []), "--port", String(own)];
  await using reader = new Child([...sdk.rerun, url, ...listens, "--save", read], {
    env: sdk.env,
  });
  await status(cli, "the reader", ({ hub: { viewers: [one] } }) => (one?.sent.messages ?? 0) > 0);
  await writeFile(until, "");
  const logged = await within(2 * CLI_MS, "the SDK to end", robot.ended);
  if (logged.code !== 0) throw new Error(`the SDK: ${describeEnd(logged)}`);
  const { messages } = await given(cli, 1);
  if (isWebSocket) {
    await within(CLI_MS, `${read} to be written`, holds(read, messages, reader));
  }
  await cli.stop();
  if (!isWebSocket) {
    const ended = await within(CLI_MS, "the reader's end", reader.ended);
    if (ended.code !== 0) throw new Error(`the reader: ${describeEnd(ended)}`);
  }
  const bytes = await readFile(read);
  const frames = framesOf(bytes);
  const falls = frames.filter((frame, i) => i > 0 && frame < frames[i - 1]!).length;
  if (frames[0]! <= Math.min(...frames) || falls < 10) {
    throw new Error(`history came in order: ${frames.slice(0, 20)}`);
  }
  const options = { ms: CLI_MS, env: sdk.env };
  await run([...sdk.rerun, "rrd", "compare", "--unordered", saved, read], options);
  const { stdout } = await run([sdk.python, ROWS, saved, read], options);
  const { rows, same } = JSON.parse(stdout.trim().split("\n").at(-1)!) as {
    rows: number;
    same: boolean[];
  };
  const logs = new Set(framesOf(await readFile(saved))).size;
  if (rows < logs || logs === 0 || !same.every(Boolean)) {
    throw new Error(`Rerun ${sdk.version} finds ${rows} rows of ${logs}, and the same: ${same}`);
  }
  return { packets: frames.length, bytes: bytes.length };
}

/** Times of the pictures, in the order in which they stand in a file. */
function framesOf(file: Uint8Array): number[] {
  return new RrdDecoder().push(file).items.flatMap((msg) => {
    if (msg.kind !== "ArrowMsg" || msg.isStatic || msg.storeId.kind !== "Recording") return [];
    return timepointOf(msg).filter(({ name }) => name === "frame").map(({ time }) => Number(time));
  });
}
