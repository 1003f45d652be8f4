// Launches launched.mjs with this runtime, for the tests of tools/launch.mjs.
import { writeSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { endAs, launch } from "../../../tools/launch.mjs";

const program = fileURLToPath(new URL("./launched.mjs", import.meta.url));
const command = process.versions.deno ? ["run", "-A", program] : [program];
const ended = launch(process.execPath, [...command, ...process.argv.slice(2)]);
// The program may run, and be heard, before `spawn` is back here.
writeSync(1, "launched\n");
endAs(await ended);
