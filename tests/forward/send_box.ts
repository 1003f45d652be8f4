/** Sends recordings to NATS as a box does, for trials: `send_box.ts URL BOX [RECORDINGS] [MESSAGES]`. */
import process from "node:process";
import { natsTarget } from "../../lib/forward/nats_target.ts";
import { batchOf, capturedMessages, numbered } from "./batches.ts";

const [url = "", box = "box-1"] = process.argv.slice(2);
const target = natsTarget({ url, box, instance: crypto.randomUUID() });
const file = crypto.randomUUID();
await target.send(
  batchOf(file, numbered(capturedMessages("0.22.1-mixed"))),
  new AbortController().signal,
);
await target.close();
