/**
 * Gives a real Rerun CLI damaged Arrow data that passes our check: none of it may end the CLI.
 *
 *     deno run -A tests/fuzz/arrow_cli.ts PATH_OF_RERUN [CAPTURE] [CHUNKS] [SEED]
 *
 * The capture should be of the CLI's own version, which is 0.18 to 0.22.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { checkArrowIpc } from "../../lib/encoding/arrow/arrow_check.ts";
import type { ArrowMsg } from "../../lib/encoding/arrow_msg.ts";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { concat } from "../encoding/rrd_builder.ts";
import { capturePackets } from "../fixtures.ts";
import { seeded } from "../random.ts";

const [cli, capture = "0.22.1-mixed", count = "10000", seed = "1"] = process.argv.slice(2);
if (cli === undefined) throw new Error("Which rerun? Give its path.");
const random = seeded(Number(seed));
const below = (n: number) => Math.floor(random() * n);

const packets = capturePackets(capture);
const small = packets.flatMap((packet) => new RrdDecoder().decodePacket(packet).items)
  .filter((msg): msg is ArrowMsg => msg.kind === "ArrowMsg" && msg.encoded.bytes.length < 6000);

/** The message with a few bytes of its Arrow data changed, if that passes. */
function damaged({ arrow, encoded }: ArrowMsg): Uint8Array | undefined {
  const bytes = encoded.bytes.slice();
  const start = arrow.bytes.byteOffset - encoded.bytes.byteOffset;
  const ipc = bytes.subarray(start, start + arrow.bytes.length);
  const view = new DataView(ipc.buffer, ipc.byteOffset, ipc.length);
  for (let n = 1 + below(3); n > 0; n--) {
    const at = below(ipc.length - 4);
    const kind = below(3);
    if (kind === 0) ipc[at] = below(256);
    else if (kind === 1) ipc[at]! ^= 1 << below(8);
    else view.setInt32(at & ~3, [-1, 0x7fffffff, -below(4096), below(4096)][below(4)]!, true);
  }
  return checkArrowIpc(ipc) === undefined ? bytes : undefined;
}

const passed: Uint8Array[] = [];
let made = 0;
for (; passed.length < Number(count); made++) {
  const bytes = damaged(small[below(small.length)]!);
  if (bytes !== undefined) passed.push(bytes);
}
const folder = mkdtempSync(join(tmpdir(), "rerelay-arrow-"));
const path = join(folder, "damaged.rrd");
const header = packets[0]!.subarray(0, 12);
writeFileSync(path, concat(header, packets[0]!.subarray(12), ...passed, new Uint8Array(8)));
const { status, stderr } = spawnSync(cli, ["rrd", "print", path], {
  encoding: "utf8",
  timeout: 300_000,
  maxBuffer: 2 ** 30,
});
rmSync(folder, { recursive: true });
const refused = stderr.split("couldn't decode").length - 1;
const panic = /panicked at.*\n.*/.exec(stderr)?.[0];
console.log(
  `seed ${seed}: of ${made} damaged chunks of ${capture} ${passed.length} pass our check; the CLI ` +
    `refuses ${refused} of them, exit ${status}${panic === undefined ? "" : `: ${panic}`}`,
);
process.exit(panic === undefined && status === 0 ? 0 : 1);
