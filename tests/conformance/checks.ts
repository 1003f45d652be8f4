/** What a saved file must be. */
import { Buffer } from "node:buffer";
import { run } from "./child.ts";
import { type CutConnection, cutStream } from "./cutter.ts";
import type { Sdk } from "./sdk_cache.ts";

/** How long Rerun's CLI may take, in milliseconds. */
const PRINT_MS = 60_000;

/** What `print` writes for each message, at a line's start; every version knows some of them. */
const PRINTED = /^(StoreInfo \{|Table with |Chunk\(|BlueprintActivationCommand\()/gm;

/**
 * Checks that a file holds exactly what was sent, and each connection's messages in their order.
 *
 * @throws if not
 */
export function checkSaved(file: Uint8Array, connections: readonly CutConnection[]): void {
  const { messages, endMarker } = cutStream(file);
  const next = connections.map(() => 0);
  const sent = (c: number) => connections[c]?.messages[next[c]!];
  for (const [number, { header, bytes }] of messages.entries()) {
    const from = next.findIndex((_, c) => sent(c) && same(bytes, sent(c)!.bytes));
    if (from < 0) {
      throw new Error(`message ${number} of the file is not the next of any connection`);
    }
    if (number === 0 && !same(header, sent(from)!.header)) {
      throw new Error(`the file's header ${header.toHex()} is not that of its first message`);
    }
    next[from]!++;
  }
  for (const [c, { messages }] of connections.entries()) {
    if (next[c] === messages.length) continue;
    throw new Error(
      `the file holds only ${next[c]} of the ${messages.length} messages of connection ${c}`,
    );
  }
  checkEndMarker(endMarker, connections);
}

/** Readers of SDK 0.18 and older fail on an end marker. */
function checkEndMarker(present: boolean, connections: readonly CutConnection[]): void {
  const modern = connections.some(({ messages }) =>
    messages.some(({ header }) => header[4]! > 0 || header[5]! >= 19)
  );
  if (present !== modern) {
    throw new Error(`the file ${present ? "has an" : "lacks its"} end marker`);
  }
}

/**
 * Checks that the CLI of the SDK's own version reads a file without complaint.
 *
 * @param messages how many it must print
 * @throws if not
 */
export async function checkPrints(sdk: Sdk, path: string, messages: number): Promise<void> {
  // Before `print` there was `compare`, which reads a file as well, but counts nothing.
  const args = sdk.printCommand ?? ["compare", path];
  const { stdout, stderr } = await run([...sdk.rerun, ...args, path], {
    ms: PRINT_MS,
    env: { ...sdk.env, RUST_LOG: "info" },
  });
  const complaint = /^.*\b(ERROR|WARN)\b.*$/m.exec(`${stderr}\n${stdout}`);
  if (complaint) throw new Error(`Rerun's CLI says: ${complaint[0].slice(0, 400)}`);
  if (sdk.printCommand === undefined) return;
  const printed = stdout.match(PRINTED)?.length ?? 0;
  if (printed !== messages) {
    throw new Error(`Rerun's CLI printed ${printed} messages instead of ${messages}`);
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
