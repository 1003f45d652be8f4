/**
 * `rrd replay`: sends a file to a server as an SDK does.
 *
 * @module
 */
import type { RrdHeader } from "../../encoding/rrd_header.ts";
import { RerelayError } from "../../base/errors.ts";
import { Pacer, packetPieces } from "../../recordings/replay.ts";
import { EXIT } from "../exit_codes.ts";
import { formatBytes, formatDuration, plural } from "../terminal/units.ts";
import { nameOf, partsOver } from "./input.ts";
import type { RrdContext } from "./context.ts";
import type { RrdOptions } from "./options.ts";
import { connectRetrying } from "../../adapters/tcp/node_connect.ts";

/** Rerun's servers of that time do not listen to TCP clients any more. */
const NEWER = "warning: these messages are of Rerun 0.23 or later: Rerelay takes them, " +
  "but no server of Rerun does over TCP";

/** Jumps of the clock that are told one by one. */
const JUMPS_TOLD = 10;
/** Waiting longer than this is told, in milliseconds. */
const LONG_WAIT_MS = 5000;
/** What timers can wait at once is less than a month: longer waits go in parts. */
const LONGEST_TIMER_MS = 3_600_000;

/** Runs the command; ends once the server has closed the connection, having read everything. */
export async function replay(options: RrdOptions, context: RrdContext): Promise<number> {
  const { process, progress } = context;
  const path = options.files[0]!;
  const began = performance.now();
  const pacer = new Pacer(options.speed, options.maxGapSec);
  let jumps = 0;
  const { hostname, port } = options.to;
  const input = partsOver(path, options, context);
  // A file that can't be read is told before a server is looked for.
  let batch = await input.next();
  const socket = await connectRetrying(hostname, port, options.timeoutSec * 1000);
  let [messages, bytes, isTold] = [0, 0, false];
  try {
    for (; !batch.done; batch = await input.next()) {
      for (const part of batch.value) {
        if (part.kind === "header" && isNewer(part.header) && !isTold) {
          isTold = true;
          progress.line(NEWER);
        }
        if (part.kind !== "message") continue;
        const waitMs = pacer.delay(part.msg, performance.now());
        if (pacer.jumpSec !== 0 && ++jumps <= JUMPS_TOLD) {
          progress.line(jumpText(pacer.jumpSec, messages + 1, options.maxGapSec));
        }
        if (waitMs > LONG_WAIT_MS) {
          progress.line(`waiting ${formatDuration(waitMs / 1000)} for message ${messages + 1}`);
        }
        await waitFor(waitMs);
        for (const piece of packetPieces(part.msg.encoded)) await socket.write(piece);
        messages++;
        bytes += part.bytes;
      }
    }
    await socket.finish();
  } catch (error) {
    socket.destroy();
    if (!(error instanceof Error) || !("code" in error)) throw error;
    const server = `${hostname}:${port}`;
    throw new RerelayError(`The server ${server} went away after ${plural(messages, "message")}`, {
      cause: error,
    });
  }
  if (jumps > JUMPS_TOLD) {
    progress.line(`warning: the clock of the log jumped ${jumps - JUMPS_TOLD} times more`);
  }
  progress.done();
  const seconds = (performance.now() - began) / 1000;
  if (options.json) process.stdout(`${JSON.stringify({ messages, bytes, seconds })}\n`);
  else {
    process.stderr(
      `${nameOf(path)}: ${plural(messages, "message")}, ${formatBytes(bytes)}, sent to ` +
        `${hostname}:${port} in ${formatDuration(seconds)}\n`,
    );
  }
  return EXIT.ok;
}

async function waitFor(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= LONGEST_TIMER_MS) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(left, LONGEST_TIMER_MS)));
  }
}

function jumpText(seconds: number, message: number, maxGapSec: number): string {
  const way = seconds > 0 ? "forwards" : "back";
  return `warning: the clock of the log jumps ${formatDuration(Math.abs(seconds))} ${way} at ` +
    `message ${message}: not waited for, as it is more than --max-gap ${formatDuration(maxGapSec)}`;
}

function isNewer({ version: { major, minor } }: RrdHeader): boolean {
  return major > 0 || minor >= 23;
}
