/** `rerelay rrd` inside this process, and the files that its tests read. */
import { assertEquals } from "@std/assert";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { CliProcess } from "../../../lib/cli/process.ts";
import { rrd } from "../../../lib/cli/rrd/rrd.ts";
import { scan } from "../../recordings/inputs.ts";

/** Runs a command. */
export async function run(...args: string[]) {
  const out = { stdout: "", stderr: "" };
  const fake = {
    args,
    env: () => undefined,
    isTerminal: false,
    columns: () => 80,
    stdout: (text: string) => out.stdout += text,
    stderr: (text: string) => out.stderr += text,
    onStopSignal: () => {},
  } as unknown as CliProcess;
  return { code: await rrd(args, fake), ...out };
}

/** Where a fixture lies. */
export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
}

/** One recording in each encoding of SDK 0.22. */
export const ENCODINGS = ["msgpack-off", "msgpack-lz4", "protobuf-off", "protobuf-lz4"]
  .map((name) => fixturePath(`encodings/0.22.1-mixed-${name}.rrd`));

/** The messages of a file in which nothing is damaged. */
export function messagesOf(path: string) {
  const { parts, error } = scan([new Uint8Array(readFileSync(path))]);
  assertEquals(error, undefined);
  return parts.flatMap((part) => part.kind === "message" ? [part.msg] : []);
}
