/**
 * Registers the single steps of receiving with `Deno.bench`: `deno bench -A tests/bench/micro.ts`.
 * `deno task bench:micro` adds bytes a second, and Bun.
 */
import { CASES } from "./micro_cases.ts";

for (const { name, run } of CASES) Deno.bench(name, run);
