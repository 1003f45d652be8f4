/**
 * `rrd replay`: sends a file to a server as an SDK does.
 *
 * @module
 */
import type { RrdHeader } from "../../encoding/rrd/rrd_header.ts";
import { RerelayError } from "../../base/errors.ts";
import { Pacer, packetPieces } from "../../recordings/replay.ts";
import { EXIT } from "../exit_codes.ts";
import { formatBytes, formatDuration, plural } from "../terminal/units.ts";
import { nameOf, partsOver, type RrdContext } from "./input.ts";
import type { RrdOptions } from "./options.ts";
import { connectRetrying } from "../../adapters/tcp/node_connect.ts";

/** Rerun's servers of that time do not listen to TCP clients any more. */
const NEWER = "warning: these messages are of Rerun 0.23 or later: Rerelay takes them, " +
  "but no server of Rerun does over TCP";

/** Runs the command; ends once the server has closed the connection, having read everything. */
export async function replay(options: RrdOptions, context: RrdContext): Promise<number> {
  const { process, progress } = context;
  const path = options.files[0]!;
  const began = performance.now();
  const pacer = new Pacer(options.speed);
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
        if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
        for (const piece of packetPieces(part.msg.encoded)) await socket.write(piece);
        messages++;
        bytes += part.bytes;
      }
    }
    await socket.finish(options.timeoutSec * 1000);
  } catch (error) {
    socket.destroy();
    if (!(error instanceof Error) || !("code" in error)) throw error;
    const server = `${hostname}:${port}`;
    throw new RerelayError(`The server ${server} went away after ${plural(messages, "message")}`, {
      cause: error,
    });
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

function isNewer({ version: { major, minor } }: RrdHeader): boolean {
  return major > 0 || minor >= 23;
}
