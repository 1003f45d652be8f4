/** Inflates one message, in a process of its own; says how much memory that took. */
import { once } from "node:events";
import { Buffer } from "node:buffer";
import { createGzip } from "node:zlib";
import process from "node:process";
import { Inflation } from "../../../lib/comms/grpc/inflate.ts";
import { residentKiB, say } from "../../contract/child.ts";

const bytes = Number(process.argv[2]) * 2 ** 20;
const gzip = createGzip();
const parts: Uint8Array[] = [];
gzip.on("data", (part: Uint8Array) => parts.push(part));
const mebibyte = new Uint8Array(2 ** 20).fill(7);
for (let at = 0; at < bytes; at += mebibyte.length) {
  if (!gzip.write(mebibyte)) await once(gzip, "drain");
}
gzip.end();
await once(gzip, "end");
const compressed = new Uint8Array(Buffer.concat(parts));
const baseKiB = residentKiB("VmRSS");
const inflation = new Inflation({ encoding: "gzip", maxMessageBytes: bytes, headroom: 16 });
const message = await inflation.run(compressed);
say({ bytes: message.length, last: message.at(-1), grownKiB: residentKiB("VmHWM") - baseKiB });
