/** What a killed server has left must be. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { RrdScanner } from "../../lib/recordings/mod.ts";
import { rrdFileSink } from "../../lib/sinks/mod.ts";
import { isPacket, numberOf } from "./kill_packets.ts";
import type { Sent } from "./kill_round.ts";

/** What was found. */
export interface Found {
  readonly messages: number;
  readonly files: number;
  readonly torn: number;
}

/**
 * Looks at the files, starts the sink anew so that it finishes them, and looks again.
 *
 * @throws if anything is not as it must be
 */
export async function checkKilled(sent: Sent, folder: string, pattern: string): Promise<Found> {
  const left = await look(folder);
  const sink = await rrdFileSink({ path: join(folder, pattern), force: pattern === "a.rrd" });
  // It goes on beside the saving, and what a stop cuts off is done at the next start.
  await sink.recovered;
  await sink.close();
  const finished = await look(folder);
  if (finished.torn > 0) throw new Error(`${finished.torn} files are torn after the next start`);
  for (const [when, { numbers }] of Object.entries({ left, finished })) {
    for (let i = 0; i < numbers.length; i++) {
      if (numbers[i] !== i) throw new Error(`${when}: message ${numbers[i]} stands at place ${i}`);
    }
    if (numbers.length < sent.due) {
      throw new Error(`${when}: ${numbers.length} messages of ${sent.due} that came 500 ms before`);
    }
    if (numbers.length > sent.packets) throw new Error(`${when}: more messages than were sent`);
  }
  if (left.numbers.length !== finished.numbers.length) {
    throw new Error(`recovered ${left.numbers.length}, then ${finished.numbers.length} messages`);
  }
  return { messages: left.numbers.length, files: left.files, torn: left.torn };
}

/** The numbered messages of all files, as a recovering reader finds them. */
async function look(folder: string): Promise<Found & { readonly numbers: number[] }> {
  const numbers: number[] = [];
  let files = 0;
  let torn = 0;
  for (const name of await readdir(folder)) {
    if (!/\.rrd(\.part)?$/.test(name)) continue;
    files++;
    const scanner = new RrdScanner({ recover: true });
    const { items } = scanner.push(await readFile(join(folder, name)));
    const parts = [...items, ...scanner.finish().items];
    const damage = parts.find(({ kind }) => kind === "damage");
    if (damage !== undefined) torn++;
    const at = parts.findIndex(({ kind }) => kind === "damage");
    const behind = at < 0 ? [] : parts.slice(at).filter(({ kind }) => kind === "message");
    if (behind.length > 0) throw new Error(`${name} is damaged before its end`);
    if (damage !== undefined && !name.endsWith(".part")) {
      throw new Error(`${name} does not open: ${damage.kind === "damage" ? damage.error : ""}`);
    }
    for (const part of parts) {
      if (part.kind !== "message") continue;
      const number = numberOf(part.msg);
      if (number === undefined) continue;
      if (!isPacket(part.msg, number)) throw new Error(`${name} has a message that nobody sent`);
      numbers.push(number);
    }
  }
  numbers.sort((a, b) => a - b);
  return { numbers, messages: numbers.length, files, torn };
}
