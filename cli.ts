/**
 * The command line: importing this module runs it.
 *
 * ```sh
 * deno run -A jsr:@rerelay/server/cli --save recording.rrd
 * ```
 *
 * @module
 */
import { thisProcess } from "./lib/cli/process.ts";

// Before all else is loaded: later it can't be seen any more whether SIGHUP was to be ignored.
const process = thisProcess();
const { main } = await import("./lib/cli/main.ts");
process.exit(await main(process));
