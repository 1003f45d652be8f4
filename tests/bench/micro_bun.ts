/** Times the single steps of receiving where there is no `Deno.bench`; writes nanoseconds as JSON. */
import process from "node:process";
import { CASES } from "./micro_cases.ts";

const WARM_UP_MS = 300;
const MEASURE_MS = 500;

/** Nanoseconds of each call. */
function time(run: () => void, ms: number): number[] {
  const times: number[] = [];
  const end = performance.now() + ms;
  for (let before = performance.now(); before < end;) {
    run();
    const after = performance.now();
    times.push((after - before) * 1e6);
    before = after;
  }
  return times;
}

const results = CASES.map(({ name, run }) => {
  time(run, WARM_UP_MS);
  const times = time(run, MEASURE_MS);
  return { name, ns: times.reduce((sum, each) => sum + each, 0) / times.length };
});
process.stdout.write(JSON.stringify(results));
