/**
 * The command line: importing this module runs it.
 *
 * ```sh
 * deno run -A jsr:@rerelay/server/cli --save recording.rrd
 * ```
 *
 * @module
 */
import { main } from "./lib/cli/main.ts";
import { thisProcess } from "./lib/cli/process.ts";

const process = thisProcess();
process.exit(await main(process));
