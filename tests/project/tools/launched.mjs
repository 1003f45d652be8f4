// What the tests of tools/launch.mjs start: says which signals it gets, and ends when told to.
// `launched.mjs WANTED CODE` ends with CODE after WANTED signals, `launched.mjs SIGNAL` by that signal.
import { writeSync } from "node:fs";
import process from "node:process";

const [first, code] = process.argv.slice(2);
if (first.startsWith("SIG")) {
  process.kill(process.pid, first);
} else if (first === "0") {
  process.exit(Number(code));
}
let signals = 0;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    writeSync(1, `${signal}\n`);
    if (++signals === Number(first)) process.exit(Number(code));
  });
}
// Nobody waits for a test that went wrong.
setTimeout(() => process.exit(98), 20_000);
writeSync(1, "ready\n");
