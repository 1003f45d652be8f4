/**
 * Takes clients in, one for warming up and then the given number again and again, and says when all
 * had left:
 *
 *     receive_child.ts
 *       server|tables|column|columns|bridge|save|bridge-save|view|bridge-view|lz4|control|drain|copy
 *       CLIENTS [FILE]
 *
 * `server` uses memory again, as the command line does; `tables` decodes the Arrow data of every
 * message too, `column` reads one column of it by `chunk()`, `columns` all of them, `bridge` gives each
 * today's form, `save` writes them into a file, `bridge-save` in today's form, `view` gives all to a
 * viewer that is told as well once it has had them, as they were sent, `bridge-view` in today's form,
 * `lz4` compresses them before; `control` only reads the bytes and discards them, `drain` reads them into
 * the same memory again and again, as fast as the runtime can, and `copy` writes them into a file without
 * looking at them.
 */
import process from "node:process";
import { loadFileAdapter, loadTcpAdapter } from "../../lib/adapters/load.ts";
import { Bridge } from "../../lib/bridge/mod.ts";
import { fanOut, rrdFileSink, type Sink } from "../../lib/sinks/mod.ts";
import { httpApp, viewerHub } from "../../lib/viewers/mod.ts";
import { type ArrowMsg, type LogMsg, serve, silentLog, type SmartMessage } from "../../mod.ts";
import { residentKiB, say } from "../contract/child.ts";
import { clock } from "./clock.ts";
import { readAllColumns, readOneColumn } from "./read_columns.ts";

const [what, clients, file] = process.argv.slice(2);
let count = 0;
let left = 0;
let cpu = process.cpuUsage();

/** One client has left. */
function onLeft(): void {
  if (left++ % Number(clients) !== 0) return;
  const { user, system } = process.cpuUsage(cpu);
  const cpuSec = (user + system) / 1e6;
  say({ at: clock(), count, cpuSec, peakKiB: residentKiB("VmHWM") });
  count = 0;
  cpu = process.cpuUsage();
}

/** Depends on all that is read, so that reading it is not left out. */
let read = 0;

/** What is done with each message besides counting it, and after each batch; chosen once. */
interface Work {
  readonly message: (msg: LogMsg) => void | Promise<void>;
  readonly batch?: () => void;
}

function workFor(what: string): Work | undefined {
  const arrow = (read: (msg: ArrowMsg) => void | Promise<void>): Work => ({
    message: (msg) => msg.kind === "ArrowMsg" ? read(msg) : undefined,
  });
  switch (what) {
    case "bridge": {
      const bridge = new Bridge({ sharesData: true });
      return { message: (msg) => void bridge.bridge(msg), batch: () => bridge.release() };
    }
    case "tables":
      return arrow(async (msg) => void await msg.table());
    case "column":
      return arrow((msg) => void (read += readOneColumn(msg)));
    case "columns":
      return arrow((msg) => void (read += readAllColumns(msg)));
  }
  return undefined;
}

const work = workFor(what!);

async function take(batch: readonly SmartMessage[]): Promise<void> {
  for (const { payload } of batch) {
    if (payload.type === "quit") {
      if (payload.error) throw payload.error;
      onLeft();
    } else {
      count++;
      if (work === undefined) continue;
      const pending = work.message(payload.msg);
      if (pending !== undefined) await pending;
    }
  }
  work?.batch?.();
  if (Number.isNaN(read)) throw new Error("Nothing was read");
}

/** A hub with one viewer inside this process, and who counts: a client has left when that has all. */
function viewed(): Sink[] {
  const hub = viewerHub({ limitBytes: 2 ** 31 });
  const quits: SmartMessage[] = [];
  let all = 0;
  const look = () => {
    if (quits.length > 0 && hub.stats.viewers[0]!.sent.messages >= all) take(quits.splice(0));
  };
  void (async () => {
    const form = what === "view" ? "as-sent" : "current";
    const url = `http://localhost/stream.rrd?format=${form}`;
    const { body } = await httpApp({ hub }).fetch(new Request(url));
    for await (const bytes of body!) {
      read += bytes.length;
      look();
    }
  })();
  const counts: Sink = {
    name: "count",
    async write(batch) {
      const messages = batch.filter(({ payload }) => payload.type !== "quit");
      all += messages.length;
      await take(messages);
      quits.push(...batch.filter(({ payload }) => payload.type === "quit"));
      look();
    },
    close: () => Promise.resolve(),
  };
  return [hub, counts];
}

async function server(): Promise<void> {
  await using server = await serve({
    port: 0,
    log: silentLog,
    reuseBuffers: true,
  });
  say({ port: server.addr.port });
  const sinks: Sink[] = [{ name: "count", write: take, close: () => Promise.resolve() }];
  if (what === "save" || what === "bridge-save" || what === "lz4") {
    const compress = what === "lz4" ? "lz4" : "off";
    const rrdFormat = what === "bridge-save" ? "current" : "as-sent";
    sinks.unshift(await rrdFileSink({ path: file!, force: true, compress, rrdFormat }));
  }
  if (what === "view" || what === "bridge-view") sinks.splice(0, 1, ...viewed());
  await fanOut(sinks).receive(server.batches());
}

/** More at once makes it no faster. */
const DRAIN_BYTES = 1024 * 1024;

async function control(): Promise<void> {
  const memory = what === "drain" ? new Uint8Array(DRAIN_BYTES) : undefined;
  const copy = what === "copy"
    ? await (await loadFileAdapter()).create(file!, "replace")
    : undefined;
  const listener = await (await loadTcpAdapter()).listen({ hostname: "127.0.0.1", port: 0 });
  say({ port: listener.addr.port });
  for (;;) {
    const connection = await listener.accept();
    (async () => {
      for (;;) {
        const chunk = await connection!.read!(memory);
        if (chunk === undefined) return onLeft();
        count += chunk.length;
        await copy?.write(chunk);
      }
    })();
  }
}

await (["control", "drain", "copy"].includes(what!) ? control() : server());
